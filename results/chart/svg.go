package chart

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	plotfont "gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// widths is an SVG canvas that records the width of each text in the font of the layout.
type widths struct {
	*vgsvg.Canvas
	of []vg.Length
}

// FillString implements vg.Canvas.
func (w *widths) FillString(f plotfont.Face, at vg.Point, text string) {
	w.of = append(w.of, f.Width(text))
	w.Canvas.FillString(f, at, text)
}

// styles are the style attributes of a drawing. Text cannot match, because its quotes are escaped.
var styles = regexp.MustCompile(`style="([^"]*)"`)

// fitted adds fallback fonts for machines without Liberation Sans, and fits each text to its width in
// the layout, in any font: SVG 2, section 11.5, textLength. It replaces styles with presentation
// attributes: a content security policy such as style-src 'self' ignores styles, and all shapes would be
// black.
func (w *widths) fitted(svg []byte) []byte {
	svg = bytes.ReplaceAll(svg, []byte("font-family:Liberation Sans;"), []byte("font-family:Liberation Sans,Arimo,Arial,Helvetica,sans-serif;"))
	svg = styles.ReplaceAllFunc(svg, func(style []byte) []byte {
		var attributes []string
		for declaration := range strings.SplitSeq(string(styles.FindSubmatch(style)[1]), ";") {
			if name, value, ok := strings.Cut(declaration, ":"); ok {
				attributes = append(attributes, fmt.Sprintf("%s=%q", name, value))
			}
		}
		return []byte(strings.Join(attributes, " "))
	})
	var b bytes.Buffer
	for i, part := range bytes.SplitAfter(svg, []byte("<text ")) {
		if i > 0 && w.of[i-1] > 0 {
			fmt.Fprintf(&b, `textLength="%.4g" lengthAdjust="spacingAndGlyphs" `, w.of[i-1].Points())
		}
		b.Write(part)
	}
	return b.Bytes()
}
