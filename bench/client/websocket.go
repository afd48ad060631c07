package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"pushbench/bench/clock"
	"pushbench/scenarios"
)

// frameHeader is the size in bytes of the header of a frame that carries n
// bytes (RFC 6455, section 5.2): the length takes 7, 7+16 or 7+64 bits, the
// mask of a client's frame four bytes more.
func frameHeader(n int64, masked bool) int64 {
	size := int64(2)
	switch {
	case n > 65535:
		size = 10
	case n > 125:
		size = 4
	}
	if masked {
		size += 4
	}
	return size
}

// closeWait bounds the close handshake's write.
const closeWait = time.Second

// maxUp bounds a publication's frame in bytes, every byte of its payload
// escaped. gorilla cuts a client's message where its buffer ends, and would send
// 64 KiB as 65 frames in 65 writes from a buffer of 1 KiB; a browser sends one.
// So buffers are large, and pooled: a socket has one only while it writes.
const maxUp = 6*int(scenarios.MaxPayload) + 512

// A socket is a WebSocket that carries batches down and publications up.
type socket struct {
	*session
	out  []byte
	body []byte

	mu   sync.Mutex      // guards link
	link *websocket.Conn // nil while there is no connection
}

// serve opens the WebSocket and reads it to its end.
func (s *socket) serve(ctx context.Context) error {
	ws, c, err := s.upgrade(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	s.countControl(ws)
	s.setLink(ws)
	defer s.up.forget()
	defer s.setLink(nil)
	defer atEnd(ctx, func() {
		c.hurry()
		s.hangUp(ws)
	})()
	if s.stages.Resume {
		s.subscribed(clock.Now())
	}
	for {
		if err := s.read(ws); err != nil {
			return plainClose(err)
		}
	}
}

func (s *socket) setLink(ws *websocket.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.link = ws
}

func (s *socket) currentLink() *websocket.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.link
}

func (s *socket) online() bool { return s.currentLink() != nil }

// upgrade dials and performs the opening handshake (RFC 6455, section 4.1).
func (s *socket) upgrade(ctx context.Context) (*websocket.Conn, *conn, error) {
	c, err := dial(ctx, &s.engine.Config, &s.over)
	if err != nil {
		return nil, nil, err
	}
	s.opened(c)
	c.awaitHeader()
	// gorilla does not look at the context while it waits for the answer.
	defer atEnd(ctx, func() { c.Close() })()
	dialer := websocket.Dialer{
		HandshakeTimeout: dialTimeout,
		ReadBufferSize:   1024,
		WriteBufferSize:  maxUp,
		WriteBufferPool:  &s.engine.writeBuffers,
		NetDialContext:   func(context.Context, string, string) (net.Conn, error) { return c, nil },
	}
	s.traffic.Requests.Add(1)
	path := string(s.appendStream(nil, "/v1/ws"))
	header := http.Header{"User-Agent": {Agent}}
	if room := s.head() - len(fillName) - len("\r\n") - s.naturalHead(path); room > 0 {
		header.Set("Cookie", string(filling(room)))
	}
	ws, response, err := dialer.DialContext(ctx, "ws://"+s.engine.Target+path, header)
	s.traffic.Up.Headers.Add(c.sent)
	if err := handshake(c, response, err); err != nil {
		c.Close()
		s.traffic.Down.Envelope.Add(c.beyondHeader())
		return nil, nil, err
	}
	ws.SetReadLimit(maxBody)
	s.answered(c, c.wired(), c.headerAt)
	return ws, c, nil
}

// naturalHead is how long the head of an upgrade is that gorilla writes, in bytes.
func (s *socket) naturalHead(path string) int {
	const key = 24 // of Sec-WebSocket-Key: 16 bytes in base64
	return len("GET "+path+" HTTP/1.1\r\nHost: "+s.engine.Target+"\r\nUser-Agent: "+Agent+
		"\r\nConnection: Upgrade\r\nSec-WebSocket-Key: \r\nSec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n\r\n") + key
}

// handshake says what is wrong with the answer to an upgrade, if anything is.
func handshake(c *conn, response *http.Response, err error) error {
	switch {
	case response == nil && err != nil:
		return fmt.Errorf("read answer: %w", c.blame(err))
	case response.StatusCode != http.StatusSwitchingProtocols:
		return fmt.Errorf("upgrade answered with status %d", response.StatusCode)
	case err != nil:
		return fmt.Errorf("upgrade: %w", errAnswer)
	case response.Header.Get("Sec-WebSocket-Extensions") != "", response.Header.Get("Sec-WebSocket-Protocol") != "":
		return errUnaskedExtension
	default:
		return nil
	}
}

// What a server may get wrong about a WebSocket.
var (
	errUnaskedExtension = errors.New("upgrade answered with an extension or protocol that nobody asked for")
	errBinary           = errors.New("server sent a binary frame")
)

func (s *socket) read(ws *websocket.Conn) error {
	kind, r, err := ws.NextReader()
	if err != nil {
		return err
	}
	if s.body, err = appendAll(s.body[:0], r); err != nil {
		return err
	}
	at := clock.Now()
	size := int64(len(s.body))
	s.traffic.Down.Framing.Add(frameHeader(size, false))
	if kind != websocket.TextMessage {
		s.traffic.Down.Envelope.Add(size)
		return errBinary
	}
	outcome, is, err := s.receiveFrame(s.body, at)
	if is {
		s.up.answered()
		s.tell(outcome, at)
	}
	return err
}

// countControl answers pings and counts control frames, which carry neither
// payload nor envelope.
func (s *socket) countControl(ws *websocket.Conn) {
	traffic := s.traffic
	came := func(n int) { traffic.Down.Framing.Add(frameHeader(int64(n), false) + int64(n)) }
	answer := func(kind int, body []byte) error {
		err := ws.WriteControl(kind, body, time.Now().Add(closeWait))
		if err == nil {
			traffic.Up.Framing.Add(frameHeader(int64(len(body)), true) + int64(len(body)))
		}
		return err
	}
	ws.SetPingHandler(func(data string) error {
		came(len(data))
		return answer(websocket.PongMessage, []byte(data))
	})
	ws.SetPongHandler(func(data string) error {
		came(len(data))
		return nil
	})
	ws.SetCloseHandler(func(code int, text string) error {
		came(len(websocket.FormatCloseMessage(code, text)))
		return answer(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""))
	})
}

// hangUp says goodbye, unless the peer is gone already, and closes.
func (s *socket) hangUp(ws *websocket.Conn) {
	goodbye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
	if ws.WriteControl(websocket.CloseMessage, goodbye, time.Now().Add(closeWait)) == nil {
		size := int64(len(goodbye))
		s.traffic.Up.Framing.Add(frameHeader(size, true) + size)
	}
	ws.Close()
}

// plainClose names a close frame by its code alone, so that causes can be counted.
func plainClose(err error) error {
	var closed *websocket.CloseError
	if errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure {
		return fmt.Errorf("websocket closed by server with code %d", closed.Code)
	}
	if errors.As(err, &closed) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// send writes one publication as one frame.
func (s *socket) send(p *publication) error {
	ws := s.currentLink()
	if ws == nil {
		return errOffline
	}
	s.out = appendPublish(s.out[:0], p)
	s.up.sending(p)
	if err := ws.WriteMessage(websocket.TextMessage, s.out); err != nil {
		return err
	}
	size, payload := int64(len(s.out)), int64(len(p.data))
	up := &s.traffic.Up
	up.Payload.Add(payload)
	up.Envelope.Add(size - payload)
	up.Framing.Add(frameHeader(size, true))
	return nil
}

// appendPublish appends the frame {"id":n,"topic":"…","data":"…"}.
func appendPublish(dst []byte, p *publication) []byte {
	dst = append(dst, `{"id":`...)
	dst = strconv.AppendUint(dst, uint64(p.id), 10)
	dst = append(dst, `,"topic":"`...)
	dst = append(dst, p.topic...) // topics need no escaping
	dst = append(dst, `","data":"`...)
	dst = appendEscaped(dst, p.data)
	return append(dst, `"}`...)
}

// appendEscaped appends s as the inside of a JSON string.
func appendEscaped(dst, s []byte) []byte {
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c < ' ':
			dst = append(dst, `\u00`...)
			dst = append(dst, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return dst
}

// appendAll reads r to its end behind dst.
func appendAll(dst []byte, r io.Reader) ([]byte, error) {
	for {
		if cap(dst)-len(dst) < 512 {
			dst = append(dst, make([]byte, max(512, cap(dst)))...)[:len(dst)]
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if errors.Is(err, io.EOF) {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}
