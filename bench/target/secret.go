package target

import "bytes"

// loginName is the placeholder of a client's login.
const loginName = "login"

// leastSecret is the fewest bytes of a value that is hidden: a shorter one is no secret, and would hide other text.
const leastSecret = 4

// hide makes Mask hide a value, also where it is percent-encoded.
func (d *Dialect) hide(value string) {
	if len(value) < leastSecret {
		return
	}
	var encoded []byte
	for i := range len(value) {
		encoded = appendPercentEncoded(encoded, value[i])
	}
	d.secrets = append(d.secrets, []byte(value))
	if string(encoded) != value {
		d.secrets = append(d.secrets, encoded)
	}
}

// Mask returns a copy of what was sent or received, in which asterisks replace the values of environment variables and
// the logins of clients.
func (d *Dialect) Mask(data []byte) []byte {
	masked := bytes.Clone(data)
	for _, secret := range d.secrets {
		for rest := masked; ; {
			at := bytes.Index(rest, secret)
			if at < 0 {
				break
			}
			rest = rest[at:]
			for i := range secret {
				rest[i] = '*'
			}
		}
	}
	return masked
}
