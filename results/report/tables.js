// Saves tables as CSV, and opens what a link refers to. Without this script the page shows the same tables.
'use strict';
const pushbench = (() => {
  const root = document.documentElement;

  function element(tag, attributes, text) {
    const e = document.createElement(tag);
    for (const name in attributes) e.setAttribute(name, attributes[name]);
    if (text !== undefined) e.textContent = text;
    return e;
  }

  function save(name, type, text) {
    const link = element('a', {download: name, href: URL.createObjectURL(new Blob([text], {type}))});
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // csv is ASCII, as summary.csv is. No text can become a formula in a spreadsheet. Numbers have no separators.
  const ascii = {'µ': 'u', '∞': 'inf', '×': 'x', '–': '-', '−': '-', '·': '*', '…': '...', '≤': '<=', '≥': '>=', '≈': '=', '→': '->'};
  function csv(rows) {
    const cell = v => {
      let text = (v === undefined || v === null ? '' : String(v)).replace(/[^\0-\x7f]/g, c => ascii[c] || c);
      if (/^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(text)) text = text.replaceAll(',', '');
      return '"' + (/^[=+\-@\t\r]/.test(text) && isNaN(text) ? "'" : '') + text.replaceAll('"', '""') + '"';
    };
    return rows.map(r => r.map(cell).join(',')).join('\r\n') + '\r\n';
  }

  // columns are the value, the mark and the small print of each cell, as far as a column has them.
  function columns(table) {
    const text = e => e ? e.textContent.trim() : '';
    const parts = cell => {
      const mark = cell.querySelector('.mark'), small = cell.querySelector('small'), value = cell.cloneNode(true);
      value.querySelectorAll('.mark, small').forEach(e => e.remove());
      return [text(value), mark ? mark.getAttribute('aria-label') || text(mark).replace(/^\W+/, '') : '', text(small).replace(/^\(|\)$/g, '')];
    };
    const head = [...table.tHead.rows[0].cells].map(c => text(c).replace(/\s+/g, ' '));
    const body = [...table.tBodies[0].rows].map(row => [...row.cells].map(parts));
    const kept = [];
    head.forEach((_, i) => [0, 1, 2].forEach(part => {
      if (part === 0 || body.some(row => row[i][part] !== '')) kept.push([i, part]);
    }));
    return [kept.map(([i, part]) => head[i] + ['', ' mark', ' detail'][part]), ...body.map(row => kept.map(([i, part]) => row[i][part]))];
  }

  for (const box of document.querySelectorAll('.scroll')) {
    const table = box.querySelector('table');
    const bar = element('p', {class: 'tools'});
    const button = element('button', {type: 'button', 'aria-label': 'Save CSV: ' + table.caption.textContent}, 'Save CSV');
    button.addEventListener('click', () => save(box.parentElement.id + '.csv', 'text/csv', csv(columns(table))));
    bar.append(button);
    box.after(bar);
  }

  const all = [...document.querySelectorAll('details')];
  const folds = element('p', {class: 'tools'});
  for (const [text, open] of [['Open all', true], ['Close all', false]]) {
    const button = element('button', {type: 'button'}, text);
    button.addEventListener('click', () => all.forEach(d => { d.open = open; }));
    folds.append(button);
  }
  const contents = document.getElementById('contents');
  if (contents) contents.append(folds);
  for (const d of all) d.addEventListener('toggle', () => window.dispatchEvent(new Event('resize'))); // charts in it get their width

  // reveal opens what the address refers to, in browsers that do not.
  function reveal() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const fold = target && target.closest('details');
    if (fold && !fold.open) {
      fold.open = true;
      target.scrollIntoView();
    }
  }
  window.addEventListener('hashchange', reveal);
  reveal();

  // A print has everything, also in browsers without ::details-content.
  let closed = [];
  window.addEventListener('beforeprint', () => { closed = all.filter(d => !d.open); closed.forEach(d => { d.open = true; }); });
  window.addEventListener('afterprint', () => closed.forEach(d => { d.open = false; }));

  root.classList.add('scripted');
  return {element, save, csv};
})();
