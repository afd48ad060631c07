//go:build linux && !portable

package sock

import "syscall"

func (c *Conn) setOption(level, option, value int) error {
	return syscall.SetsockoptInt(c.fd, level, option, value)
}
