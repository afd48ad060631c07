// Package browser opens the pages that pushbench writes in Chromium and looks at them as a
// reader would: drawn, by pointer and keyboard, dark, narrow, printed, without scripts. It
// has only tests.
package browser
