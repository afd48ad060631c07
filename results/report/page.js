// Draws the charts of a report from the data in the page: the panels of results/chart, which the pictures also
// show. In addition, they show values under the pointer, can be zoomed and can hide transports. Without this
// script the page shows the pictures.
'use strict';
(() => {
  const {element, save, csv} = pushbench; // of tables.js
  const charts = JSON.parse(document.getElementById('data').textContent);
  const root = document.documentElement;
  const hidden = new Set(); // transports that are switched off
  const plots = []; // every uPlot on the page, with its panel
  const dark = window.matchMedia('(prefers-color-scheme: dark)');
  const lighter = {'#0072b2': '#56b4e9', '#d55e00': '#ff8c42', '#5b636b': '#a2abb4'}; // on a dark background
  const font = '"Liberation Sans", Arimo, Arial, Helvetica, sans-serif';
  const ratio = () => window.devicePixelRatio || 1;

  const css = name => getComputedStyle(root).getPropertyValue(name).trim();
  const rgb = hex => [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));
  const logarithmic = axis => axis.scale === 'log' || axis.scale === 'percentile';

  // mixed is a style's colour, mixed with the background.
  function mixed(style) {
    const strength = style.strength || 1, paper = rgb(css('--paper'));
    return rgb(dark.matches && lighter[style.color] || style.color || css('--ink')).map((v, i) => Math.round(v * strength + paper[i] * (1 - strength)));
  }
  const colour = style => 'rgb(' + mixed(style).join() + ')';

  // onTop is the colour of text on a fill, with the weights of relative luminance (WCAG 2.2) without its gamma.
  const onTop = style => { const [r, g, b] = mixed(style); return 0.2126 * r + 0.7152 * g + 0.0722 * b > 118 ? '#1c1f23' : '#fff'; };

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

  const oneLine = text => text.replaceAll('\n', ' ');
  const nameLine = name => name.replaceAll('\n', ' · ');

  function position(axis, x) {
    switch (axis.scale) {
      case 'names': return nameLine(axis.names[Math.round(x)] || '');
      case 'percentile': return percent(x);
      default: return number(x);
    }
  }

  // marker draws a marker of the given radius.
  function marker(c, shape, x, y, r) {
    c.beginPath();
    switch (shape) {
      case 'circle': c.arc(x, y, r, 0, 7); break;
      case 'box': case 'square': c.rect(x - r, y - r, 2 * r, 2 * r); break;
      case 'triangle': c.moveTo(x, y - 1.15 * r); c.lineTo(x + r, y + 0.58 * r); c.lineTo(x - r, y + 0.58 * r); c.closePath(); break;
      case 'diamond': r *= 1.25; c.moveTo(x - r, y); c.lineTo(x, y - r); c.lineTo(x + r, y); c.lineTo(x, y + r); c.closePath(); break;
      case 'plus': c.moveTo(x - r, y); c.lineTo(x + r, y); c.moveTo(x, y - r); c.lineTo(x, y + r); break;
      case 'cross': c.moveTo(x - r, y - r); c.lineTo(x + r, y + r); c.moveTo(x - r, y + r); c.lineTo(x + r, y - r); break;
      case 'ring': c.arc(x, y, 1.8 * r, 0, 7); break;
    }
    if (['square', 'plus', 'cross', 'ring'].includes(shape)) c.stroke();
    else c.fill();
  }

  // pen prepares a canvas for a style.
  function pen(c, fill, width, dash) {
    c.fillStyle = c.strokeStyle = fill;
    c.lineWidth = width;
    c.setLineDash(dash || []);
  }

  function stroke(c, x0, y0, x1, y1) {
    c.beginPath();
    c.moveTo(x0, y0);
    c.lineTo(x1, y1);
    c.stroke();
  }

  const guidePen = (c, kind) => kind === 'dotted' ? pen(c, css('--soft'), 1, [1, 2]) : kind === 'border' ? pen(c, css('--ink'), 2) : pen(c, css('--soft'), 1);

  // wrap splits text into lines of some width, at spaces.
  function wrap(c, text, room) {
    const lines = [];
    for (const part of text.split('\n')) {
      let one = '';
      for (const word of part.split(' ')) {
        const longer = one ? one + ' ' + word : word;
        if (one && c.measureText(longer).width > room) { lines.push(one); one = word; } else one = longer;
      }
      if (one) lines.push(one);
    }
    return lines;
  }

  // painter returns what draws a panel's guides, bars and cells below uPlot's lines, and the rest above them.
  function painter(panel, events) {
    const named = panel.x.scale === 'names';
    const on = (u, what) => {
      const c = u.ctx;
      const r = ratio(), left = u.bbox.left / r, top = u.bbox.top / r, right = left + u.bbox.width / r, bottom = top + u.bbox.height / r;
      const at = {c, x: v => u.valToPos(v, 'x', true) / r, y: v => u.valToPos(v, 'y', true) / r, left, top, right, bottom};
      at.slot = named ? at.x(1) - at.x(0) : Infinity;
      at.inside = v => v >= at.left - 1 && v <= at.right + 1;
      c.save();
      c.scale(r, r); // as in the style sheet
      c.beginPath(); // zoomed in, nothing is drawn beside the plot
      c.rect(left - 8, 0, right - left + 16, c.canvas.height);
      c.clip();
      what(at, panel.series.filter((s, i) => u.series[i + 1].show));
      c.restore();
    };

    // box is the rectangle of a bar or a cell.
    const box = (at, s, i) => {
      const width = s.width || 0, from = s.kind === 'cells' ? s.y[i] - 0.5 : s.from ? s.from[i] : 0, to = s.kind === 'cells' ? s.y[i] + 0.5 : s.y[i] + (s.from ? from : 0);
      return {left: at.x(s.x[i] - width / 2), right: at.x(s.x[i] + width / 2), bottom: panel.y.scale === 'log' ? at.bottom : at.y(from), top: at.y(to)};
    };

    function guide(at, g) {
      const left = g.x ? at.x(g.x[0]) : at.left, right = g.x ? at.x(g.x[1]) : at.right;
      const bottom = g.y ? at.y(g.y[0]) : at.bottom, top = g.y ? at.y(g.y[1]) : at.top;
      if (!at.inside(left) || !at.inside(right)) return;
      guidePen(at.c, g.kind);
      if (g.kind === 'band') { at.c.fillStyle = css('--line'); at.c.fillRect(left, top, right - left, bottom - top); } else stroke(at.c, left, bottom, right, top);
    }

    function below(at, all) {
      for (const g of panel.guides || []) if (g.kind !== 'border') guide(at, g);
      for (const s of all) {
        if (s.kind !== 'bars' && s.kind !== 'cells') continue;
        s.x.forEach((_, i) => {
          const b = box(at, s, i);
          if (b.bottom <= b.top) return;
          at.c.fillStyle = s.color ? colour(s) : 'transparent';
          at.c.fillRect(b.left, b.top, b.right - b.left, b.bottom - b.top);
          pen(at.c, css('--paper'), 1);
          stroke(at.c, b.left, b.top, b.right, b.top);
          const cell = Math.round(s.x[i]); // transports of equal cost share a cell
          if (s.kind === 'cells') at.c.strokeRect(at.x(cell - 0.5), b.top, at.x(cell + 0.5) - at.x(cell - 0.5), b.bottom - b.top);
        });
      }
    }

    function ranges(at, s) {
      pen(at.c, s.kind === 'points' && s.marker ? colour(s) : css('--ink'), 1.5);
      s.x.forEach((x, i) => {
        const p = s.width ? at.x(x + 0.47 * s.width) : at.x(x) + (s.shift || 0);
        if (!at.inside(p)) return;
        if (s.lowest && s.lowest[i] < s.highest[i]) stroke(at.c, p, at.y(s.lowest[i]), p, at.y(s.highest[i]));
        if (s.x_lowest && s.x_lowest[i] < s.x_highest[i]) stroke(at.c, at.x(s.x_lowest[i]), at.y(s.y[i]), at.x(s.x_highest[i]), at.y(s.y[i]));
      });
    }

    function markers(at, s) {
      pen(at.c, colour(s), 1.5);
      s.x.forEach((v, i) => {
        const x = at.x(v) + (s.shift || 0);
        if (!at.inside(x)) return;
        if (s.kind === 'lost') { stroke(at.c, x, at.y(s.y[i]), x, at.top); marker(at.c, 'triangle', x, at.top + 5, 4); }
        else marker(at.c, s.kind === 'predicted' ? 'ring' : s.marker, x, at.y(s.y[i]), 4);
      });
    }

    // above draws a label above a point: horizontal if it fits, else vertical. Between labels that would overlap
    // there is none: the value is under the pointer.
    function above(at, label, x, y, room) {
      const c = at.c, lines = label.split('\n');
      c.textAlign = 'center';
      for (const size of [12, 10, 8]) {
        c.font = size + 'px ' + font;
        const wide = Math.max(...lines.map(l => c.measureText(l).width));
        if (wide > room - 3) continue;
        const step = size + 1, top = y - 4 - step * lines.length;
        c.fillStyle = css('--paper'); // so that no grid line crosses the label
        c.fillRect(x - wide / 2, top, wide, step * lines.length);
        c.fillStyle = css('--ink');
        return lines.forEach((l, i) => c.fillText(l, x, top + step * (i + 1) - 2));
      }
      if (room < 9) return;
      c.save();
      c.translate(x, y - 4);
      c.rotate(-Math.PI / 2);
      c.textAlign = 'left';
      c.textBaseline = 'middle';
      c.fillStyle = css('--ink');
      c.fillText(oneLine(label), 0, 0);
      c.restore();
    }

    function labels(at, s) {
      (s.labels || []).forEach((label, i) => {
        const c = at.c, b = box(at, s, i), x = at.x(s.x[i]) + (s.shift || 0);
        c.textAlign = 'center';
        c.font = '11px ' + font;
        if (s.kind === 'cells') {
          const lines = wrap(c, label, at.slot - 8), step = 14;
          c.fillStyle = css(s.color ? '--ink' : '--soft');
          lines.forEach((l, k) => c.fillText(l, at.x(Math.round(s.x[i])), at.y(s.y[i]) + step * (k + 0.8 - lines.length / 2)));
        } else if (s.inside) {
          c.fillStyle = onTop(s);
          const size = [11, 9, 7].find(size => { c.font = size + 'px ' + font; return c.measureText(label).width < b.right - b.left; });
          if (size) c.fillText(label, x, b.top + 12);
        } else {
          above(at, label, x, Math.min(at.y(s.y[i]) - (s.marker ? 5 : 0), s.highest ? at.y(s.highest[i]) : Infinity), s.width ? (b.right - b.left) / 0.82 : at.slot);
        }
      });
    }

    // numbers draws events as dotted lines, with their numbers above the plot, where no line crosses them. Numbers that
    // would overlap share a label: 3–5.
    function numbers(at) {
      const c = at.c, all = [];
      c.font = '11px ' + font;
      c.textAlign = 'center';
      const label = (first, last, left, right) => {
        const text = first === last ? String(first) : first + '–' + last, x = (left + right) / 2;
        return {first, last, left, right, text, x, half: c.measureText(text).width / 2 + 2};
      };
      events.forEach((e, i) => {
        const x = at.x(e.x);
        if (!at.inside(x)) return;
        guidePen(c, 'dotted');
        stroke(c, x, at.top, x, at.bottom);
        let one = label(i + 1, i + 1, x, x);
        for (let before; (before = all[all.length - 1]) && before.x + before.half > one.x - one.half; all.pop()) one = label(before.first, one.last, before.left, one.right);
        all.push(one);
      });
      c.fillStyle = css('--ink');
      for (const one of all) c.fillText(one.text, one.x, at.top - 3);
    }

    return {
      below: u => on(u, below),
      above: u => on(u, (at, all) => {
        for (const s of all) {
          if (s.kind === 'bars' || s.kind === 'points') ranges(at, s);
          if (s.kind === 'points' && s.marker || s.kind === 'predicted' || s.kind === 'lost') markers(at, s);
        }
        for (const g of panel.guides || []) if (g.kind === 'border') guide(at, g);
        for (const s of all) labels(at, s);
        numbers(at);
      }),
    };
  }

  // axes have the ticks of the picture; zoomed in, the horizontal axis has more.
  function axes(panel) {
    const axis = of => ({stroke: () => css('--soft'), grid: {show: of.scale !== 'names', stroke: () => css('--line'), width: 1, filter: (u, all) => all.map(v => of.ticks.some(t => t.at === v && !t.label) ? null : v)}, ticks: {show: of.scale !== 'names', stroke: () => css('--line'), width: 1}, font: '12px ' + font});
    const x = axis(panel.x), y = axis(panel.y), given = of => [() => of.ticks.map(t => t.at), () => of.ticks.map(t => t.label || '')];
    const whole = u => u.scales.x.min === panel.x.min && u.scales.x.max === panel.x.max;
    if (panel.x.scale === 'names') {
      [x.splits] = given(panel.x);
      x.values = u => panel.x.ticks.map(t => upright(panel.x, u.width) ? nameLine(t.label || '') : t.label || '');
      x.rotate = u => upright(panel.x, u.width) ? -90 : 0;
      x.size = u => namesHeight(panel.x, u.width);
      x.gap = 4;
    } else {
      const [splits, values] = given(panel.x);
      x.size = 30;
      x.splits = (u, i, min, max, step) => whole(u) || panel.x.scale === 'percentile' ? splits() : rounds(min, max, step);
      x.filter = (u, all) => all; // otherwise uPlot labels only decades
      x.values = (u, all) => apart(u, all, whole(u) || panel.x.scale === 'percentile' ? values() : all.map(number));
    }
    [y.splits, y.values] = given(panel.y);
    y.filter = (u, all) => all;
    y.size = 22 + Math.max(...panel.y.ticks.map(t => textWidth(t.label || '')));
    return [x, y];
  }

  // apart removes each label of the horizontal axis that would overlap the next one.
  function apart(u, at, labels) {
    const {min, max, distr} = u.scales.x, scaled = distr === 3 ? Math.log : v => v;
    const place = v => (u.width - 70) * (scaled(v) - scaled(min)) / (scaled(max) - scaled(min));
    let next = Infinity; // where the next label begins
    return labels.map((label, i) => ({label, middle: place(at[i]), half: textWidth(label) / 2})).reverse().map(l => {
      if (!l.label || l.middle + l.half + 4 > next) return '';
      next = l.middle - l.half;
      return l.label;
    }).reverse();
  }

  // rounds are about five round steps between two values.
  function rounds(min, max) {
    const decade = 10 ** Math.floor(Math.log10((max - min) / 5)), step = [1, 2, 5, 10].map(d => d * decade).find(s => s >= (max - min) / 5), all = [];
    for (let v = Math.ceil(min / step) * step; v <= max; v += step) all.push(v);
    return all;
  }

  const measure = document.createElement('canvas').getContext('2d');
  function textWidth(text) {
    measure.font = '12px ' + font;
    return measure.measureText(text).width;
  }

  // names is the width of the widest line of the names.
  const names = axis => Math.max(...axis.ticks.flatMap(t => (t.label || '').split('\n')).map(textWidth));

  // upright reports whether the names are vertical in a panel of some width.
  const upright = (axis, width) => names(axis) > (width - 70) / axis.ticks.length - 2;

  // namesHeight is the height of the names below a panel of some width.
  const namesHeight = (axis, width) => upright(axis, width) ? 16 + Math.max(...axis.ticks.map(t => textWidth(nameLine(t.label || '')))) : 20 + 15 * Math.max(...axis.ticks.map(t => (t.label || '').split('\n').length));

  // size is the size of a panel in its frame. The names of bars take no height from the bars.
  function size(panel, frame) {
    const width = Math.max(260, frame.clientWidth);
    return {width, height: 265 + (panel.x.scale === 'names' ? namesHeight(panel.x, width) : 35)};
  }

  // line has uPlot's settings of a series. The painter draws everything but lines.
  function line(s) {
    const one = {label: s.configuration, stroke: () => colour(s), width: 2, dash: s.dash, show: !hidden.has(s.transport), points: {show: false}};
    if (s.kind === 'predicted' && s.dash) return Object.assign(one, {width: 1});
    return s.kind === 'line' ? one : Object.assign(one, {paths: () => null});
  }

  // nearest is the index of the series' value nearest to x; −1 if none is near. A line is near along its whole
  // length and slightly beyond.
  function nearest(panel, s, x) {
    if (panel.x.scale === 'names') return s.x.findIndex(at => Math.round(at) === Math.round(x));
    const scaled = logarithmic(panel.x) ? Math.log : v => v;
    const all = s.x.map(scaled), at = scaled(x), range = Math.max(...all) - Math.min(...all);
    const near = s.kind === 'line' ? Math.max(range / 20, 1e-9) : 0.15;
    let best = -1, distance = Infinity;
    all.forEach((v, i) => { if (Math.abs(v - at) < distance) [best, distance] = [i, Math.abs(v - at)]; });
    const within = s.kind === 'line' && at >= Math.min(...all) && at <= Math.max(...all);
    return within || distance <= near ? best : -1;
  }

  const valued = s => s.kind !== 'note' && s.kind !== 'lost';

  // readoutAt lists the values at x.
  function readoutAt(panel, x) {
    const all = document.createDocumentFragment();
    all.append(element('b', {}, position(panel.x, x) + (panel.x.scale === 'linear' || panel.x.scale === 'log' ? ' ' + (panel.x.title || '') : '')));
    for (const s of panel.series) {
      const i = hidden.has(s.transport) ? -1 : nearest(panel, s, x);
      if (i < 0 || s.kind === 'cells' && !s.labels[i]) continue;
      const range = s.lowest && s.lowest[i] !== s.highest[i] ? ' (' + number(s.lowest[i]) + '–' + number(s.highest[i]) + ')' : '';
      const what = [s.configuration, s.part, s.kind === 'predicted' && 'predicted', s.kind === 'points' && panel.x.scale !== 'names' && 'at ' + position(panel.x, s.x[i])].filter(Boolean).join(' ');
      const value = s.kind === 'cells' ? position(panel.y, s.y[i]) + ': ' + oneLine(s.labels[i]) : valued(s) ? what + ' ' + number(s.y[i]) + range : s.labels && what + ' ' + s.labels[i];
      if (!value) continue;
      const one = element('span', {class: 'value'}), swatch = element('i', {});
      swatch.style.background = s.color ? colour(s) : 'none';
      one.append(swatch, value);
      all.append(one);
    }
    return all;
  }

  function draw(panel, events, host) {
    if (panel.title) host.append(element('h3', {}, panel.title));
    host.append(element('p', {class: 'axis'}, panel.y.title));
    const frame = element('div', {class: 'frame', tabindex: '0', role: 'application', 'aria-label': (panel.title || panel.y.title) + ': arrow keys move along the values, Escape shows the whole chart'});
    const readout = element('p', {class: 'readout', 'aria-live': 'polite'});
    host.append(frame);
    if (panel.x.title) host.append(element('p', {class: 'axis x'}, panel.x.title));
    host.append(readout);
    const data = uPlot.join(panel.series.map(s => {
      const order = s.x.map((_, i) => i).sort((a, b) => s.x[a] - s.x[b]);
      return [order.map(i => s.x[i]), order.map(i => s.y[i])];
    }));
    const xs = data[0], all = [panel.x.min, panel.x.max];
    const show = x => readout.replaceChildren(readoutAt(panel, x));
    const paint = painter(panel, events);
    const u = new uPlot({
      ...size(panel, frame),
      padding: [14, 28, 0, 0],
      legend: {show: false},
      cursor: {y: false, points: {show: false}, drag: {x: panel.x.scale !== 'names', y: false}},
      scales: {
        x: {time: false, distr: logarithmic(panel.x) ? 3 : 1, range: (u, min, max) => min === xs[0] && max === xs[xs.length - 1] ? all : [min, max]},
        y: {distr: logarithmic(panel.y) ? 3 : 1, range: () => [panel.y.min, panel.y.max]},
      },
      axes: axes(panel), series: [{}, ...panel.series.map(line)],
      hooks: {
        drawAxes: [paint.below], draw: [paint.above],
        setCursor: [u => { if (u.cursor.left >= 0) show(u.posToVal(u.cursor.left, 'x')); }],
      },
    }, data, frame);
    frame.addEventListener('keydown', event => {
      const steps = {ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity};
      if (event.key === 'Escape') return u.setScale('x', {min: all[0], max: all[1]});
      if (!(event.key in steps)) return;
      event.preventDefault();
      frame.at = Math.max(0, Math.min(xs.length - 1, (frame.at === undefined ? -1 : frame.at) + steps[event.key]));
      u.setCursor({left: u.valToPos(xs[frame.at], 'x'), top: 10});
      show(xs[frame.at]);
    });
    frame.plot = u;
    plots.push({u, panel, frame});
  }

  // key is an entry of the legend with its sample.
  function key(k) {
    const one = element('span', {class: 'key'}), r = ratio();
    if (k.kind) {
      const sample = element('canvas', {width: 28 * r, height: 14 * r, 'aria-hidden': 'true'}), c = sample.getContext('2d');
      c.scale(r, r);
      pen(c, colour(k), k.kind === 'predicted' ? 1 : 2, k.dash);
      if (k.kind === 'bars' || k.kind === 'cells') c.fillRect(0, 2, 28, 10);
      if (k.kind === 'dotted' || k.kind === 'solid' || k.kind === 'border') guidePen(c, k.kind);
      if (['line', 'dotted', 'solid', 'border'].includes(k.kind) || k.kind === 'predicted' && k.dash) stroke(c, 0, 7, 28, 7);
      pen(c, colour(k), 1.5);
      if (k.kind === 'range') { pen(c, css('--ink'), 1.5); stroke(c, 14, 1, 14, 13); }
      const shape = {line: k.marker, points: k.marker, predicted: 'ring', lost: 'triangle'}[k.kind];
      if (shape) marker(c, shape, 14, 7, shape === 'ring' ? 3.3 : 4);
      one.append(sample);
    }
    one.append(k.name);
    return one;
  }

  // table is a chart's data as CSV.
  function table(chart) {
    const at = (axis, v) => axis.scale === 'names' ? oneLine(axis.names[Math.round(v)]) : axis.scale === 'percentile' ? 1 - 1 / v : v;
    const rows = [['panel', 'configuration', 'part', 'kind', 'x', 'y', 'lowest', 'highest', 'label']];
    for (const p of chart.panels) {
      for (const s of p.series) {
        s.x.forEach((x, i) => rows.push([p.title || p.y.title, s.configuration, s.part, s.kind, at(p.x, x), valued(s) ? at(p.y, s.y[i]) : '', s.lowest && s.lowest[i], s.highest && s.highest[i], s.labels && oneLine(s.labels[i])]));
      }
    }
    return csv(rows);
  }

  function tools(chart, box) {
    const bar = element('div', {class: 'tools'});
    const button = (text, action) => {
      const b = element('button', {type: 'button'});
      const name = text => { b.textContent = text; b.setAttribute('aria-label', text + ': ' + chart.title); };
      name(text);
      b.addEventListener('click', () => action(name));
      bar.append(b);
    };
    button('Show image', name => name(box.classList.toggle('pictured') ? 'Show interactive chart' : 'Show image'));
    button('Save CSV', () => save(chart.name + '.csv', 'text/csv', table(chart)));
    button('Save SVG', () => save(chart.name + '.svg', 'image/svg+xml', new XMLSerializer().serializeToString(box.querySelector('svg'))));
    return bar;
  }

  function drawAll() {
    switches();
    for (const p of plots.splice(0)) p.u.destroy();
    for (const chart of charts) {
      const box = document.getElementById(chart.name);
      box.querySelectorAll('.live').forEach(e => e.remove());
      const live = element('div', {class: 'live'}), keys = element('div', {class: 'keys'}), panels = element('div', {class: 'panels'});
      box.querySelector('figcaption').before(live);
      keys.append(...(chart.keys || []).map(key));
      live.append(keys, panels);
      for (const panel of chart.panels) {
        const host = element('div', {class: panel.wide ? 'panel wide' : 'panel'});
        panels.append(host);
        draw(panel, chart.events || [], host);
      }
      if (!chart.events) continue;
      const list = element('ol', {class: 'events'});
      list.append(...chart.events.map(e => element('li', {}, e.text)));
      live.append(list);
    }
  }

  // switches adds one button per transport, for all charts together.
  function switches() {
    const bar = document.getElementById('switches');
    if (!bar) return; // no folded charts
    bar.querySelectorAll('button').forEach(b => b.remove());
    const seen = new Map(), all = charts.flatMap(c => c.panels).flatMap(p => p.series).filter(s => s.transport && s.color);
    // Lines are in the order of drawing, other series in that of the keys.
    for (const s of [...all.filter(s => s.kind !== 'line'), ...all]) if (!seen.has(s.transport)) seen.set(s.transport, s);
    for (const [transport, s] of seen) {
      const b = element('button', {type: 'button', 'aria-pressed': String(!hidden.has(transport)), 'data-transport': transport});
      const swatch = element('i', {});
      swatch.style.background = colour({color: s.color});
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

  for (const chart of charts) {
    const box = document.getElementById(chart.name);
    box.append(tools(chart, box));
  }
  drawAll();
  dark.addEventListener('change', drawAll);
  let waiting = 0;
  window.addEventListener('resize', () => {
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => { for (const p of plots) p.u.setSize(size(p.panel, p.frame)); });
  });
})();
