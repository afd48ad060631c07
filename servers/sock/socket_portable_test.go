//go:build !linux || portable

package sock

import (
	"errors"
	"syscall"
)

func (c *Conn) setOption(level, option, value int) (err error) {
	raw, err := c.tcp.SyscallConn()
	if err != nil {
		return err
	}
	return errors.Join(raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), level, option, value) }), err)
}
