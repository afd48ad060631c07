package scenarios

import (
	"slices"
	"strings"
)

// A Computed is a placeholder of a publication by POST: the lowercase hexadecimal digits of a hash.
type Computed struct {
	Name       string   `yaml:"name" json:"name" required:"true" pattern:"^[a-z][a-z0-9_]{0,31}$" allowed:"a name for templates: 1 to 32 of a-z, 0-9 and _"` // its name in post, headers and later computed values
	MD5        Template `yaml:"md5,omitempty" json:"md5"`                                                                                                    // the MD5 of this text
	HMACSHA256 Template `yaml:"hmac_sha256,omitempty" json:"hmac_sha256"`                                                                                    // the HMAC-SHA256 of this text
	Key        Template `yaml:"key,omitempty" json:"key"`                                                                                                    // of hmac_sha256, such as "{env:SECRET}"
}

// validate checks a computed value, and adds its name to the known ones.
func (c Computed) validate(field string, known *[]string) *conflict {
	switch {
	case (c.MD5 == "") == (c.HMACSHA256 == ""):
		return &conflict{field: field, message: "is not one hash; allowed: md5 or hmac_sha256"}
	case (c.HMACSHA256 == "") != (c.Key == ""):
		return &conflict{field: field, message: "has a key without hmac_sha256, or no key; allowed: hmac_sha256 and key together"}
	case slices.Contains(*known, c.Name):
		return &conflict{field: field + ".name", value: c.Name, message: "is the name of another placeholder; allowed: any name but " + strings.Join(*known, ", ")}
	}
	if u := unknownIn([]textCheck{{field + ".md5", c.MD5}, {field + ".hmac_sha256", c.HMACSHA256}}, *known); u != nil {
		return u
	}
	if u := unknownIn([]textCheck{{field + ".key", c.Key}}, nil); u != nil {
		return u
	}
	*known = append(*known, c.Name)
	return nil
}
