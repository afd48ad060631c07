// Package browser tests the pages of pushbench in Chromium: charts, pointer and keyboard, dark
// mode, narrow windows, print, and without scripts. It has only tests.
package browser
