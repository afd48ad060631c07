package target

import (
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // protocols require it
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"slices"
	"strconv"
	"time"

	"pushbench/scenarios"
)

// A computed is a hash of a text, computed for each publication by POST.
type computed struct {
	value int
	hash  func() hash.Hash
	text  text
}

// computed compiles the values of a publication by POST. The texts of post and headers are compiled.
func (c *compiler) computed(all []scenarios.Computed) {
	for _, one := range all {
		made := computed{c.value(one.Name), md5.New, c.text(one.MD5)}
		if one.HMACSHA256 != "" {
			key := c.text(one.Key).append(nil, nil) // of literals and the environment
			made.hash, made.text = func() hash.Hash { return hmac.New(sha256.New, key) }, c.text(one.HMACSHA256)
		}
		c.publish.computed = append(c.publish.computed, made)
	}
	c.publish.time, c.publish.entity = slices.Index(c.names, "time"), slices.Index(c.names, "body")
}

// compute sets the values of a publication by POST.
func (p *publish) compute(values [][]byte) {
	if p.time >= 0 {
		values[p.time] = strconv.AppendInt(nil, time.Now().Unix(), 10)
	}
	if p.entity >= 0 {
		values[p.entity] = p.body.append(nil, values)
	}
	for _, c := range p.computed {
		h := c.hash()
		h.Write(c.text.append(nil, values))
		values[c.value] = hex.AppendEncode(nil, h.Sum(nil))
	}
}
