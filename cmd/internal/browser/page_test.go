package browser

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"pushbench/results"
	"pushbench/results/chart"
	"pushbench/results/report"
)

// browsers are the names of Chromium's executable; the first one found is used.
var browsers = []string{"chromium", "chromium-browser", "google-chrome"}

// A browser is Chromium with one open page. It records errors, dialogs and requests of the page.
type browser struct {
	context.Context

	mu       sync.Mutex // guards the fields below
	problems []string
}

func (b *browser) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = append(b.problems, fmt.Sprintf(format, args...))
}

// found returns the problems so far.
func (b *browser) found() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.problems)
}

func openBrowser(t *testing.T) *browser {
	t.Helper()
	i := slices.IndexFunc(browsers, func(name string) bool { _, err := exec.LookPath(name); return err == nil })
	if i < 0 {
		t.Fatalf("none of %s is installed: run make setup, or on Debian: sudo apt-get install chromium", strings.Join(browsers, ", "))
	}
	limited, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	t.Cleanup(cancel)
	allocated, cancel := chromedp.NewExecAllocator(limited, append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browsers[i]),
		chromedp.NoSandbox, chromedp.WindowSize(1200, 900), chromedp.Flag("disable-dev-shm-usage", true), chromedp.WSURLReadTimeout(time.Minute))...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocated)
	b := &browser{Context: ctx}
	messages, dialogs, requests := chromedp.Console(ctx), chromedp.Events(ctx, page.JavascriptDialogOpening), chromedp.Events(ctx, network.RequestWillBeSent)
	var listening sync.WaitGroup
	t.Cleanup(func() { cancel(); listening.Wait() })
	listening.Go(func() {
		for m, err := range messages {
			if err == nil && !strings.Contains(m.Text, "willReadFrequently") { // caused by this test
				b.note("%s", m)
			}
		}
	})
	listening.Go(func() {
		for e, err := range dialogs {
			if err == nil {
				b.note("a dialog: %s", e.Message)
				_, _ = chromedp.Call(ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true}) // the test fails anyway
			}
		}
	})
	listening.Go(func() {
		for e, err := range requests {
			if err == nil && !strings.HasPrefix(e.Request.URL, "file:") && !strings.HasPrefix(e.Request.URL, "blob:") {
				b.note("the page requests %s", e.Request.URL)
			}
		}
	})
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	return b
}

func (b *browser) do(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(b.Context, actions...); err != nil {
		t.Fatal(err)
	}
}

// media emulates other media features.
func (b *browser) media(t *testing.T, as emulation.SetEmulatedMediaParams) {
	t.Helper()
	if _, err := chromedp.Call(b.Context, emulation.SetEmulatedMedia, as); err != nil {
		t.Fatal(err)
	}
}

// keep writes a screenshot to the artifacts of the test with go test -artifacts, and takes none without it: the
// screenshots took a quarter of the CPU time of these tests.
func (b *browser) keep(t *testing.T, name string, picture chromedp.Action[[]byte]) {
	t.Helper()
	if flag.Lookup("test.artifacts").Value.String() != "true" {
		return
	}
	data, err := chromedp.Run(b.Context, picture)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// evaluate returns the value of an expression in the page.
func evaluate[T any](t *testing.T, b *browser, expression string) T {
	t.Helper()
	v, err := chromedp.Run(b.Context, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// reference is the page of the unchanged committed run, drawn once for all tests.
var reference = sync.OnceValues(func() ([]byte, error) { return draw(func(*results.Run) {}) })

// draw returns the report page of the committed run after change.
func draw(change func(*results.Run)) ([]byte, error) {
	run, err := results.Open(chat)
	if err != nil {
		return nil, err
	}
	change(run)
	r := report.New(run)
	charts, err := chart.Draw(run, r.Summary, r.Badge())
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	err = r.Document().HTML(&page, charts)
	return page.Bytes(), err
}

// chat is the folder of the committed run.
var chat = filepath.Join("..", "..", "..", "results", "reference", "chat")

// opened writes a page and returns its URL.
func opened(t *testing.T, page []byte, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return written(t, func(w io.Writer) error { _, err := w.Write(page); return err })
}

// written writes a page by a function and returns its URL.
func written(t *testing.T, page func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := page(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

// drawnPixels counts the pixels that are drawn in the canvases of a chart.
const drawnPixels = `(name => [...document.querySelectorAll('#' + name + ' canvas')].map(c => {
	const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
	let n = 0;
	for (let i = 3; i < d.length; i += 4) if (d[i] > 0) n++;
	return n;
}).reduce((a, b) => a + b, 0))`

// The page draws its charts, which react to pointer and keyboard and hide transports on request. It
// requests nothing else and has no errors.
func TestPageInABrowser(t *testing.T) {
	t.Parallel()
	page, err := reference()
	address := opened(t, page, err)
	b := openBrowser(t)
	b.do(t, chromedp.Navigate(address+"#charts"), chromedp.WaitVisible(chromedp.CSS(`.scripted #switches button`)))

	for _, name := range evaluate[[]string](t, b, `JSON.parse(document.getElementById('data').textContent).filter(f => f.panels.length > 0).map(f => f.name)`) {
		if evaluate[int](t, b, drawnPixels+`('`+name+`')`) < 500 {
			t.Errorf("the chart %s is not drawn", name)
		}
		if evaluate[bool](t, b, `document.querySelector('#`+name+` .picture').checkVisibility()`) {
			t.Errorf("the image of %s is shown in addition to the interactive chart", name)
		}
	}

	if order := evaluate[[]string](t, b, `[...document.querySelectorAll('#switches button')].map(b => b.textContent)`); !slices.Equal(order, []string{"shortpoll", "longpoll", "sse", "websocket"}) {
		t.Errorf("the switches are %q, in another order than the keys", order)
	}
	if same := evaluate[[]string](t, b, `[...document.querySelectorAll('figure button')].map(b => b.getAttribute('aria-label')).filter((name, i, all) => !name || all.indexOf(name) < i)`); len(same) > 0 {
		t.Errorf("screen readers cannot distinguish the buttons %q", same)
	}
	all := evaluate[int](t, b, drawnPixels+`('latency')`)
	b.do(t, chromedp.Click(chromedp.CSS(`#switches button[data-transport=shortpoll]`)))
	if on := evaluate[string](t, b, `document.querySelector('[data-transport=shortpoll]').getAttribute('aria-pressed')`); on != "false" {
		t.Errorf("short polling is hidden, but aria-pressed is %s", on)
	}
	if _, err := chromedp.Run(b.Context, chromedp.Poll[bool](drawnPixels+`('latency') !== `+fmt.Sprint(all))); err != nil {
		t.Errorf("hiding short polling does not change the chart: %v", err)
	}

	b.do(t, chromedp.Focus(chromedp.CSS(`#latency .frame`)), chromedp.KeyEvent(kb.Home), chromedp.KeyEvent(kb.ArrowRight))
	readout := evaluate[string](t, b, `document.querySelector('#latency .readout').textContent`)
	if !strings.Contains(readout, "websocket") || strings.Contains(readout, "shortpoll") {
		t.Errorf("keyboard navigation of the latency chart reads %q", readout)
	}
	evaluate[bool](t, b, `{ const u = document.querySelector('#latency .frame').plot; u.setScale('x', {min: 10, max: 100}); u.scales.x.min === 10 }`)
	b.do(t, chromedp.KeyEvent(kb.Escape))
	if _, err := chromedp.Run(b.Context, chromedp.Poll[bool](`document.querySelector('#latency .frame').plot.scales.x.min === 1`, chromedp.WithPollingTimeout(10*time.Second))); err != nil {
		t.Errorf("Escape does not show the whole chart: %v", err)
	}
	b.do(t, chromedp.Click(`//figure[@id="latency"]//button[text()="Show image"]`))
	if !evaluate[bool](t, b, `document.querySelector('#latency .picture').checkVisibility() && !document.querySelector('#latency .live').checkVisibility()`) {
		t.Error("the button does not show the chart as an image")
	}

	// Dark mode has a dark background and redrawn charts; print has the images.
	b.keep(t, "light.png", chromedp.FullScreenshot(100))
	b.media(t, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}})
	if background := evaluate[string](t, b, `getComputedStyle(document.body).backgroundColor`); background != "rgb(20, 23, 27)" {
		t.Errorf("the background in dark mode is %s", background)
	}
	if evaluate[int](t, b, drawnPixels+`('cost')`) < 500 {
		t.Error("the cost chart is not drawn in dark mode")
	}
	b.keep(t, "dark.png", chromedp.FullScreenshot(100))
	b.media(t, emulation.SetEmulatedMediaParams{Media: "print"})
	if !evaluate[bool](t, b, `document.querySelector('#cost .picture').checkVisibility() && !document.querySelector('#cost .live').checkVisibility()`) {
		t.Error("print does not show the chart as an image")
	}
	b.keep(t, "print.pdf", chromedp.PrintToPDF())
	b.media(t, emulation.SetEmulatedMediaParams{})

	// In a narrow window the page does not overflow, even with all its details.
	b.do(t, chromedp.Click(`//button[text()="Open all"]`), chromedp.EmulateViewport(380, 800))
	if _, err := chromedp.Run(b.Context, chromedp.Poll[bool](`document.documentElement.scrollWidth <= 380`, chromedp.WithPollingTimeout(10*time.Second))); err != nil {
		t.Errorf("%d pixels wide in a window of 380: %v", evaluate[int](t, b, `document.documentElement.scrollWidth`), err)
	}
	if wide := evaluate[[]string](t, b, `[...document.querySelectorAll('.scroll')].filter(s => s.querySelector('tbody th').offsetWidth > s.clientWidth / 2).map(s => s.getAttribute('aria-label'))`); len(wide) > 0 {
		t.Errorf("the first column, which stays while the others scroll, hides them: %q", wide)
	}
	b.keep(t, "narrow.png", chromedp.FullScreenshot(100))
	if problems := b.found(); len(problems) > 0 {
		t.Errorf("problems: %q", problems)
	}
}

// The pages of a capacity search and of a comparison are drawn without errors.
func TestPagesOfCapacityAndComparison(t *testing.T) {
	t.Parallel()
	probe := func(load, p99 float64, held bool) results.Probe {
		return results.Probe{Load: load, Held: held, P50: p99 / 2, P99: p99, CPU: 30, Folder: "probes/" + hostile, Why: hostile}
	}
	found := results.Capacity{
		Schema: results.Schema, Scenario: hostile, Limit: []string{"p(99)<200ms"}, Axis: "rate", Within: 0.05, Host: results.Host{CPUModel: hostile, Cores: 2},
		Found: []results.Highest{
			{Transport: "websocket", Load: 800, Beyond: 840, Why: hostile, Confirmed: 3, Probes: []results.Probe{probe(800, 120, true), probe(840, 310, false)}},
			{Transport: "shortpoll", Beyond: 100, Why: hostile, Probes: []results.Probe{probe(100, 990, false)}},
		},
	}
	capacity, err := chart.Capacity(found)
	if err != nil {
		t.Fatal(err)
	}
	run, err := results.Open(chat)
	if err != nil {
		t.Fatal(err)
	}
	run.Path = hostile
	same, err := report.Compare(run, run)
	if err != nil {
		t.Fatal(err)
	}
	ratios, err := chart.Compared(run, run, same.Analysis, same.Document().Badge)
	if err != nil {
		t.Fatal(err)
	}
	b := openBrowser(t)
	for _, page := range []struct {
		name, selector string
		write          func(io.Writer) error
	}{
		{"capacity", "#capacity .frame canvas", func(w io.Writer) error {
			return report.Capacity{Capacity: found}.Document().HTML(w, []chart.Chart{capacity})
		}},
		{"comparison", "#compared .frame canvas", func(w io.Writer) error { return same.Document().HTML(w, []chart.Chart{ratios}) }},
	} {
		b.do(t, chromedp.Navigate(written(t, page.write)), chromedp.WaitVisible(chromedp.CSS(page.selector)))
		if n := evaluate[int](t, b, `document.querySelectorAll('img').length`); n > 0 {
			t.Errorf("%d images were injected into the page of the %s", n, page.name)
		}
		b.keep(t, page.name+".png", chromedp.FullScreenshot(100))
	}
	if problems := b.found(); len(problems) > 0 {
		t.Errorf("problems: %q", problems)
	}
}

// Without scripts the page is complete: links open the details, and the charts are images.
func TestPageWithoutScripts(t *testing.T) {
	t.Parallel()
	page, err := reference()
	address := opened(t, page, err)
	b := openBrowser(t)
	b.withoutScripts(t)
	b.do(t, chromedp.Navigate(address+"#latency"))
	shown, err := chromedp.Run(b.Context, chromedp.Screenshot(chromedp.CSS(`#latency .picture svg`)))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(t.ArtifactDir(), "noscript.png"), shown, 0o600); err != nil {
		t.Fatal(err)
	}
	if len(shown) < 10_000 {
		t.Errorf("the image of the latency chart is %d B", len(shown))
	}
	for _, id := range evaluate[[]string](t, b, `[...document.querySelectorAll('#contents a, #trust a')].map(a => a.getAttribute('href'))`) {
		b.do(t, chromedp.Navigate("about:blank"), chromedp.Navigate(address+id))
		if !evaluate[bool](t, b, `document.querySelector('`+id+`').checkVisibility()`) {
			t.Errorf("a link to %s does not show it", id)
		}
	}
	if n := evaluate[int](t, b, `[...document.querySelectorAll('button, .hint')].filter(e => e.checkVisibility()).length`); n > 0 {
		t.Errorf("%d buttons and hints of scripts are shown", n)
	}
	if problems := b.found(); len(problems) > 0 {
		t.Errorf("problems: %q", problems)
	}
}

// withoutScripts disables the scripts of all pages that are opened from now on.
func (b *browser) withoutScripts(t *testing.T) {
	t.Helper()
	if _, err := chromedp.Call(b.Context, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true}); err != nil {
		t.Fatal(err)
	}
}

// A print has all details, although the page shows none of them, and needs no script for it.
func TestPrintHasAllDetails(t *testing.T) {
	t.Parallel()
	page, err := reference()
	address := opened(t, page, err)
	b := openBrowser(t)
	b.withoutScripts(t)
	b.do(t, chromedp.Navigate(address))
	const visible = `[...document.querySelectorAll('details .content')].filter(e => e.checkVisibility()).length`
	all := evaluate[int](t, b, `document.querySelectorAll('details').length`)
	if n := evaluate[int](t, b, visible); n != 0 || all < 15 {
		t.Errorf("%d of %d details are shown", n, all)
	}
	b.media(t, emulation.SetEmulatedMediaParams{Media: "print"})
	if n := evaluate[int](t, b, visible); n != all {
		t.Errorf("%d of %d details are printed", n, all)
	}
}

// The first key leads past the header to the answer. The focus follows the page, as nothing changes its order, and
// closed details cannot have it.
func TestKeyboardFollowsThePage(t *testing.T) {
	t.Parallel()
	page, err := reference()
	address := opened(t, page, err)
	b := openBrowser(t)
	b.do(t, chromedp.Navigate(address), chromedp.KeyEvent(kb.Tab))
	if to := evaluate[string](t, b, `document.activeElement.getAttribute('href')`); to != "#answer" {
		t.Errorf("the first link leads to %q", to)
	}
	b.do(t, chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.Tab))
	if !evaluate[bool](t, b, `!!document.activeElement.closest('main') && document.activeElement.checkVisibility()`) {
		t.Error("the key after the first link does not lead into the page")
	}
	if n := evaluate[int](t, b, `[...document.querySelectorAll('[tabindex]')].filter(e => e.tabIndex > 0).length`); n > 0 {
		t.Errorf("%d elements have their own place in the order", n)
	}
	if n := evaluate[int](t, b, `[...document.querySelectorAll('details:not([open]) .content :is(a, button, [tabindex])')].filter(e => { e.focus(); return e === document.activeElement; }).length`); n > 0 {
		t.Errorf("%d elements of closed details can have the focus", n)
	}
}

const hostile = `</script><script>alert(1)</script><img src=x onerror=alert(2)>"'` + "`${alert(3)}`"

// Names of a scenario, a host or a server are text everywhere in the page.
func TestHostileStringsAreInert(t *testing.T) {
	t.Parallel()
	page, err := draw(func(run *results.Run) {
		m := &run.Manifest
		m.Workload.Scenario, m.Workload.Question, m.Host.CPUModel, m.Reason = hostile, hostile, hostile, hostile
		m.Command, m.Conditions, m.NotShown = []string{"pushbench", "run", hostile}, []string{hostile}, []string{hostile}
		for i := range m.Configurations {
			if m.Configurations[i].Name == "sse" {
				m.Configurations[i].Name, m.Configurations[i].Transport = "sse "+hostile, "sse "+hostile
			}
		}
		for i := range run.Trials {
			if tr := &run.Trials[i]; tr.Configuration == "sse" {
				tr.Configuration, tr.Transport, tr.Warnings = "sse "+hostile, "sse "+hostile, []string{hostile}
			}
		}
	})
	address := opened(t, page, err)
	b := openBrowser(t)
	b.do(t, chromedp.Navigate(address+"#charts"), chromedp.WaitVisible(chromedp.CSS(`.scripted #switches button`)))
	if n := evaluate[int](t, b, `document.querySelectorAll('img').length`); n > 0 {
		t.Errorf("%d images were injected into the page", n)
	}
	if !strings.Contains(evaluate[string](t, b, `document.querySelector('h1').textContent`), `<img src=x onerror=alert(2)>`) {
		t.Error("the page does not show the name literally")
	}
	if problems := b.found(); len(problems) > 0 {
		t.Errorf("problems: %q", problems)
	}
}

// saved clicks on a button and returns the file that it saves.
func (b *browser) saved(t *testing.T, button string) string {
	t.Helper()
	evaluate[bool](t, b, `{ delete window.saved; const url = URL.createObjectURL; URL.createObjectURL = blob => { blob.text().then(text => { window.saved = text; }); return url.call(URL, blob); }; true }`)
	b.do(t, chromedp.Click(button))
	text, err := chromedp.Run(b.Context, chromedp.Poll[string](`window.saved`, chromedp.WithPollingTimeout(10*time.Second)))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// A spreadsheet may read a saved file in another encoding, and computes text that looks like a formula. A mark
// and a value are two columns.
func TestSavedTables(t *testing.T) {
	t.Parallel()
	drawn := chart.Chart{Name: "cost", SVG: []byte("<svg></svg>"), Panels: []chart.Panel{{
		X: chart.Axis{Scale: "linear", Max: 3, Ticks: []chart.Tick{{At: 1, Label: "1"}}}, Y: chart.Axis{Title: "µs per message", Scale: "linear", Max: 5, Ticks: []chart.Tick{{At: 1, Label: "1"}}},
		Series: []chart.Series{{Configuration: "=sse", Transport: "sse", Kind: "points", Style: chart.Style{Color: "#009e73"}, X: []float64{1, 2}, Y: []float64{3, 4}, Labels: []string{"≥ 3", "4"}}},
	}}}
	table := report.Section{
		Title: "Scores: a test", Shown: true, Columns: []report.Column{{Title: "transport"}, {Title: "p99", Unit: "µs"}},
		Rows: []report.Row{
			{Cells: []report.Cell{{Text: "=HYPERLINK(\"x\")"}, {Text: "◆ best 98,340 (1–2)", Tone: report.Good}}},
			{Cells: []report.Cell{{Text: "@sse"}, {Text: "-1.5"}}},
			{Cells: []report.Cell{{Text: "sse"}, {Text: "✗ ∞", Tone: report.Bad}}},
		},
	}
	b := openBrowser(t)
	b.do(t, chromedp.Navigate(written(t, func(w io.Writer) error {
		return report.Document{Title: "x", Sections: []report.Section{table}}.HTML(w, []chart.Chart{drawn})
	})+"#charts"), chromedp.WaitVisible(chromedp.CSS(`#cost .tools button`)))
	if got, want := b.saved(t, `//figure[@id="cost"]//button[text()="Save CSV"]`), "\"us per message\",\"'=sse\",\"\",\"points\",\"1\",\"3\",\"\",\"\",\">= 3\"\r\n"; !strings.Contains(got, want) {
		t.Errorf("the chart's table is %q, want %q in it", got, want)
	}
	want := "\"transport\",\"p99 us\",\"p99 us mark\",\"p99 us detail\"\r\n" +
		"\"'=HYPERLINK(\"\"x\"\")\",\"98340\",\"best\",\"1-2\"\r\n" +
		"\"'@sse\",\"-1.5\",\"\",\"\"\r\n" +
		"\"sse\",\"inf\",\"not met\",\"\"\r\n"
	if got := b.saved(t, `//section[@id="section-scores"]//button[text()="Save CSV"]`); got != want {
		t.Errorf("the table is %q, want %q", got, want)
	}
	if problems := b.found(); len(problems) > 0 {
		t.Errorf("problems: %q", problems)
	}
}
