// Draws the charts of a report from the data in the page. They show values under the pointer and can hide
// transports. Without this script the page shows the same charts as images.
'use strict';
(() => {
  const charts = JSON.parse(document.getElementById('data').textContent);
  const root = document.documentElement;
  const hidden = new Set(); // transports that are switched off
  const plots = []; // every uPlot on the page, with its panel
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const lighter = {'#0072b2': '#56b4e9', '#d55e00': '#ff8c42', '#5b636b': '#a2abb4'}; // on a dark background
  const height = 300;

  const css = name => getComputedStyle(root).getPropertyValue(name).trim();
  const colour = s => dark.matches && lighter[s.color] || s.color;
  const logarithmic = scale => scale === 'log' || scale === 'percentile';

  function element(tag, attributes, text) {
    const e = document.createElement(tag);
    for (const name in attributes) e.setAttribute(name, attributes[name]);
    if (text !== undefined) e.textContent = text;
    return e;
  }

  // number prints four significant digits, without an exponent.
  function number(x) {
    if (x === 0) return '0';
    const digits = Math.max(0, Math.min(6, 3 - Math.floor(Math.log10(Math.abs(x)))));
    return x.toLocaleString('en', {maximumFractionDigits: digits});
  }

  // percent is the share 1 − 1/x, with as many nines as it has.
  function percent(x) {
    const decades = Math.log10(x), whole = Math.abs(decades - Math.round(decades)) < 1e-6;
    const digits = whole ? Math.round(decades) - 2 : Math.ceil(decades) - 1;
    return (100 * (1 - 1 / x)).toFixed(Math.max(0, digits)) + ' %';
  }

  function position(panel, x) {
    switch (panel.x_scale) {
      case 'names': return panel.names[Math.round(x)] || '';
      case 'percentile': return percent(x);
      default: return number(x);
    }
  }

  const axisName = panel => panel.x_scale === 'names' || panel.x_scale === 'percentile' ? '' : panel.x || '';

  function axes(panel) {
    const common = {stroke: () => css('--soft'), grid: {stroke: () => css('--line'), width: 1}, ticks: {stroke: () => css('--line'), width: 1}, font: '12px sans-serif'};
    const x = Object.assign({}, common);
    if (panel.x_scale === 'names') {
      x.splits = () => panel.names.map((_, i) => i);
      x.values = () => panel.names;
      x.grid = {show: false};
    } else if (panel.x_scale === 'percentile') {
      x.splits = u => [1, 2, 10, 100, 1000, 10000, 100000].filter(v => v <= u.scales.x.max * 1.001);
      x.filter = (u, all) => all; // otherwise uPlot labels only decades
      x.values = (u, all) => all.map(percent);
    } else {
      x.values = (u, all) => all.map(v => v === null ? null : number(v));
    }
    const y = Object.assign({}, common, {size: 64});
    y.values = (u, all) => all.map(v => v === null || v === undefined ? null : number(v));
    return [x, y];
  }

  function line(panel, s) {
    const one = {label: s.case, stroke: () => colour(s), width: 2, dash: s.dash, show: !hidden.has(s.transport)};
    switch (s.kind) {
      case 'predicted': return Object.assign(one, {width: 1.2, dash: [4, 4], points: {show: s.x.length < 12, size: 7}});
      case 'points': return Object.assign(one, {paths: () => null, points: {show: true, size: 7, fill: () => colour(s)}});
      case 'bars': return Object.assign(one, {width: 0, dash: undefined, fill: () => colour(s), points: {show: false}, paths: uPlot.paths.bars({size: [0.9, 56]})});
      default: return Object.assign(one, {points: {show: s.x.length < 24, size: 6, fill: () => colour(s)}});
    }
  }

  function scales(panel) {
    const x = {time: false, distr: logarithmic(panel.x_scale) ? 3 : 1};
    if (panel.x_scale === 'names') x.range = () => [-0.6, panel.names.length - 0.4];
    if (panel.x_scale === 'percentile') x.range = (u, min, max) => [Math.max(1, min), max];
    const y = {distr: panel.y_scale === 'log' ? 3 : 1};
    if (panel.y_scale !== 'log') y.range = (u, min, max) => [0, (max > 0 ? max : 1) * 1.1];
    return {x, y};
  }

  // overlay draws the ranges over the repetitions, and marks, on top of the plot.
  function overlay(panel) {
    return u => {
      const c = u.ctx, ratio = window.devicePixelRatio || 1;
      c.save();
      c.beginPath();
      c.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
      c.clip();
      panel.series.forEach((s, i) => {
        if (!s.lo || !u.series[i + 1].show) return;
        c.strokeStyle = s.kind === 'bars' ? css('--ink') : colour(s);
        c.lineWidth = 1.5 * ratio;
        s.x.forEach((x, k) => {
          if (s.lo[k] === s.hi[k]) return;
          const at = u.valToPos(x, 'x', true);
          c.beginPath();
          c.moveTo(at, u.valToPos(s.lo[k], 'y', true));
          c.lineTo(at, u.valToPos(s.hi[k], 'y', true));
          c.stroke();
        });
      });
      c.setLineDash([2 * ratio, 3 * ratio]);
      c.lineWidth = ratio;
      c.strokeStyle = c.fillStyle = css('--soft');
      c.font = 11 * ratio + 'px sans-serif';
      (panel.marks || []).forEach((m, i) => {
        const at = u.valToPos(m.x, 'x', true);
        c.beginPath();
        c.moveTo(at, u.bbox.top);
        c.lineTo(at, u.bbox.top + u.bbox.height);
        c.stroke();
        const fits = at + 3 * ratio + c.measureText(m.text).width < u.bbox.left + u.bbox.width;
        c.textAlign = fits ? 'left' : 'right';
        c.fillText(m.text, at + (fits ? 3 : -3) * ratio, u.bbox.top + (12 + 13 * (i % 4)) * ratio);
      });
      c.restore();
    };
  }

  // nearest is the index of the series' point nearest to x; −1 if none is near. A line is near along its whole
  // length and slightly beyond.
  function nearest(panel, s, x) {
    if (panel.x_scale === 'names') return s.x.findIndex(at => Math.round(at) === Math.round(x));
    const scaled = logarithmic(panel.x_scale) ? Math.log : v => v;
    const all = s.x.map(scaled), at = scaled(x), range = Math.max(...all) - Math.min(...all);
    const line = s.kind === 'line' || s.kind === 'predicted' && panel.x_scale !== 'percentile';
    const near = line ? Math.max(range / 20, 1e-9) : 0.15;
    let best = -1, distance = Infinity;
    all.forEach((v, i) => { if (Math.abs(v - at) < distance) [best, distance] = [i, Math.abs(v - at)]; });
    const within = line && at >= Math.min(...all) && at <= Math.max(...all);
    return within || distance <= near ? best : -1;
  }

  // readoutAt lists the values at x.
  function readoutAt(panel, x) {
    const all = document.createDocumentFragment();
    all.append(element('b', {}, position(panel, x) + ' ' + axisName(panel)));
    for (const s of panel.series) {
      if (hidden.has(s.transport)) continue;
      const i = nearest(panel, s, x);
      if (i < 0) continue;
      const range = s.lo && s.lo[i] !== s.hi[i] ? ' (' + number(s.lo[i]) + '–' + number(s.hi[i]) + ')' : '';
      const one = element('span', {class: 'value'});
      const swatch = element('i', {});
      swatch.style.background = colour(s);
      const what = s.kind === 'predicted' ? s.case + ', predicted' : s.kind === 'points' ? s.case + ' at ' + position(panel, s.x[i]) : s.case;
      one.append(swatch, what + ' ' + number(s.y[i]) + range);
      all.append(one);
    }
    return all;
  }

  function draw(panel, host) {
    if (panel.title) host.append(element('h3', {}, panel.title));
    host.append(element('p', {class: 'axis'}, panel.y));
    const frame = element('div', {class: 'frame', tabindex: '0', role: 'application', 'aria-label': (panel.title || panel.y) + ': arrow keys move along the values, Escape shows the whole chart'});
    const readout = element('p', {class: 'readout', 'aria-live': 'polite'}, 'Point at the chart for values, drag to zoom in, double-click to zoom out.');
    host.append(frame);
    if (panel.x) host.append(element('p', {class: 'axis x'}, panel.x));
    host.append(readout);
    const shown = panel.series.filter(s => s.x.length > 0);
    if (shown.length === 0) return readout.textContent = 'This chart has no values.';
    panel = Object.assign({}, panel, {series: shown});
    const data = uPlot.join(shown.map(s => {
      const order = s.x.map((_, i) => i).sort((a, b) => s.x[a] - s.x[b]);
      return [order.map(i => s.x[i]), order.map(i => s.y[i])];
    }));
    const show = x => readout.replaceChildren(readoutAt(panel, x));
    const u = new uPlot({
      width: Math.max(260, frame.clientWidth), height,
      legend: {show: false},
      cursor: {y: false, drag: {x: panel.x_scale !== 'names', y: false}},
      scales: scales(panel), axes: axes(panel), series: [{}, ...shown.map(s => line(panel, s))],
      hooks: {
        draw: [overlay(panel)],
        setCursor: [u => { if (u.cursor.left >= 0) show(u.posToVal(u.cursor.left, 'x')); }],
      },
    }, data, frame);
    frame.addEventListener('keydown', event => {
      const xs = data[0], steps = {ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity};
      if (event.key === 'Escape') return u.setScale('x', {min: xs[0], max: xs[xs.length - 1]});
      if (!(event.key in steps)) return;
      event.preventDefault();
      frame.at = Math.max(0, Math.min(xs.length - 1, (frame.at === undefined ? -1 : frame.at) + steps[event.key]));
      u.setCursor({left: u.valToPos(xs[frame.at], 'x'), top: 10});
      show(xs[frame.at]);
    });
    plots.push({u, panel, frame});
  }

  function save(name, type, text) {
    const link = element('a', {download: name, href: URL.createObjectURL(new Blob([text], {type}))});
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  // table is a chart's data as CSV. Text cannot become a formula in a spreadsheet, and is ASCII as in summary.csv.
  const ascii = {'µ': 'u', '∞': 'inf', '×': 'x', '–': '-', '−': '-', '·': '*', '…': '...', '≤': '<=', '≥': '>=', '→': '->'};
  function table(chart) {
    const cell = v => {
      const text = (v === undefined || v === null ? '' : String(v)).replace(/[^\0-\x7f]/g, c => ascii[c] || c);
      return '"' + (/^[=+\-@\t]/.test(text) && isNaN(text) ? "'" : '') + text.replaceAll('"', '""') + '"';
    };
    const rows = [['panel', 'configuration', 'kind', 'x', 'y', 'lowest', 'highest']];
    for (const p of chart.panels) {
      for (const s of p.series) {
        s.x.forEach((x, i) => rows.push([p.title || p.y, s.case, s.kind, p.x_scale === 'names' ? p.names[Math.round(x)] : p.x_scale === 'percentile' ? 1 - 1 / x : x, s.y[i], s.lo && s.lo[i], s.hi && s.hi[i]]));
      }
    }
    return rows.map(r => r.map(cell).join(',')).join('\r\n') + '\r\n';
  }

  function tools(chart, box) {
    const bar = element('div', {class: 'tools'});
    const button = (text, action) => {
      const b = element('button', {type: 'button'}, text);
      b.addEventListener('click', () => action(b));
      bar.append(b);
    };
    if (chart.panels.length > 0) {
      button('Show image', b => { b.textContent = box.classList.toggle('pictured') ? 'Show interactive chart' : 'Show image'; });
      button('Save CSV', () => save(chart.name + '.csv', 'text/csv', table(chart)));
    }
    button('Save SVG', () => save(chart.name + '.svg', 'image/svg+xml', new XMLSerializer().serializeToString(box.querySelector('svg'))));
    return bar;
  }

  function drawAll() {
    for (const p of plots.splice(0)) p.u.destroy();
    for (const chart of charts) {
      const box = document.getElementById(chart.name);
      box.querySelectorAll('.live').forEach(e => e.remove());
      if (chart.panels.length === 0) continue;
      const live = element('div', {class: 'live'});
      box.querySelector('figcaption').before(live);
      for (const panel of chart.panels) {
        const host = element('div', {class: 'panel'});
        live.append(host);
        draw(panel, host);
      }
    }
  }

  // switches adds one button per transport, for all charts together.
  function switches() {
    const bar = document.getElementById('switches');
    const seen = new Map();
    for (const c of charts) for (const p of c.panels) for (const s of p.series) if (!seen.has(s.transport)) seen.set(s.transport, s);
    for (const [transport, s] of seen) {
      const b = element('button', {type: 'button', 'aria-pressed': 'true', 'data-transport': transport});
      const swatch = element('i', {});
      swatch.style.background = colour(s);
      b.append(swatch, transport);
      b.addEventListener('click', () => {
        if (!hidden.delete(transport)) hidden.add(transport);
        b.setAttribute('aria-pressed', String(!hidden.has(transport)));
        for (const {u, panel} of plots) {
          u.batch(() => panel.series.forEach((s, i) => { if (s.transport === transport) u.setSeries(i + 1, {show: !hidden.has(transport)}); }));
        }
      });
      bar.append(b);
    }
    bar.hidden = seen.size < 2;
  }

  root.classList.add('scripted');
  for (const chart of charts) {
    const box = document.getElementById(chart.name);
    if (chart.panels.length === 0) box.classList.add('only-picture');
    box.append(tools(chart, box));
  }
  switches();
  drawAll();
  dark.addEventListener('change', drawAll);
  let waiting = 0;
  window.addEventListener('resize', () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => { for (const p of plots) p.u.setSize({width: Math.max(260, p.frame.clientWidth), height}); });
  });
})();
