// How each kind of layer is drawn. `view` has context, X(x) and Y(y) in device pixels, unit (device
// pixels of a "pixel" of a layer), colors, at (the frame), smooth, scratch.
const MANY = 600; // from so many points on, stamps are faster than arcs

const DRAW = {
  points(layer, view) {
    const xy = frameOf(layer.xy, view.at, view.smooth, view.scratch);
    const n = xy.length / 2;
    const radius = (layer.size / 2) * view.unit;
    if (n >= MANY) return stamped(layer, xy, radius, view);
    const { context, X, Y } = view;
    for (let i = 0; i < n; i++) {
      const x = X(xy[2 * i]);
      const y = Y(xy[2 * i + 1]);
      if (!Number.isFinite(x + y)) continue;
      context.fillStyle = view.colors.css(colorOf(layer, i), layer.alpha);
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fill();
    }
  },

  lines(layer, view) {
    const xy = frameOf(layer.xy, view.at, view.smooth, view.scratch);
    const [n, m] = layer.xy.shape;
    const { context, X, Y } = view;
    const until = layer.growing ? Math.min(Math.floor(view.at) + 1, m) : m;
    const share = layer.growing ? view.at - Math.floor(view.at) : 0;
    context.lineWidth = layer.width * view.unit;
    context.lineJoin = "round";
    context.setLineDash(layer.dashed ? [7 * view.unit, 4 * view.unit] : []);
    for (let i = 0; i < n; i++) {
      context.strokeStyle = view.colors.css(colorOf(layer, i), layer.alpha);
      context.beginPath();
      let pen = false;
      for (let j = 0; j < until; j++) {
        const k = 2 * (i * m + j);
        const x = X(xy[k]);
        const y = Y(xy[k + 1]);
        const there = Number.isFinite(x + y);
        if (there && pen) context.lineTo(x, y);
        else if (there) context.moveTo(x, y);
        pen = there;
        if (j === until - 1 && share > 0 && until < m && there) {
          context.lineTo(X(xy[k] + share * (xy[k + 2] - xy[k])), Y(xy[k + 1] + share * (xy[k + 3] - xy[k + 1])));
        }
      }
      context.stroke();
    }
    context.setLineDash([]);
  },

  fill(layer, view) {
    const xy = frameOf(layer.xy, view.at, view.smooth, view.scratch);
    const { context, X, Y } = view;
    context.fillStyle = view.colors.css(layer.color, layer.alpha);
    context.beginPath();
    context.moveTo(X(xy[0]), Y(0));
    for (let i = 0; i < xy.length; i += 2) context.lineTo(X(xy[i]), Y(xy[i + 1]));
    context.lineTo(X(xy[xy.length - 2]), Y(0));
    context.fill();
  },

  bars(layer, view) {
    const heights = frameOf(layer.heights, view.at, view.smooth, view.scratch);
    const edges = layer.edges.values;
    const { context, X, Y } = view;
    context.fillStyle = view.colors.css(layer.color, layer.alpha);
    const gap = Math.min(view.unit, 1.5);
    for (let i = 0; i < heights.length; i++) {
      const [a, b] = layer.sideways ? [Y(edges[i + 1]), Y(edges[i])] : [X(edges[i]), X(edges[i + 1])];
      const [from, to] = layer.sideways ? [X(0), X(heights[i])] : [Y(0), Y(heights[i])];
      if (layer.sideways) context.fillRect(from, a, to - from, b - a - gap);
      else context.fillRect(a, to, b - a - gap, from - to);
    }
  },

  image(layer, view) {
    const values = frameOf(layer.values, view.at, false, view.scratch);
    const [rows, columns] = layer.values.shape;
    const all = layer.each ? values : layer.values.values;
    const key = layer.each ? Math.round(view.at) : "all";
    if (layer.known !== key) {
      let most = 0;
      for (const v of all) if (Math.abs(v) > most) most = Math.abs(v);
      Object.assign(layer, { known: key, most: most || 1 });
    }
    const ramp = view.colors.ramp(layer.colors);
    const pixels = new ImageData(columns, rows);
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const v = values[(rows - 1 - r) * columns + c] / layer.most;
        const level = Math.min(Math.max(Math.round(layer.colors === "signed" ? 127.5 + 127.5 * v : 255 * v), 0), 255);
        const i = 4 * (r * columns + c);
        pixels.data.set(ramp.subarray(3 * level, 3 * level + 3), i);
        pixels.data[i + 3] = Number.isFinite(v) ? 255 : 0;
      }
    }
    const [left, right, bottom, top] = layer.extent ?? [...view.x, ...view.y];
    view.context.imageSmoothingEnabled = true;
    const { X, Y } = view;
    view.context.drawImage(bitmap(pixels), X(left), Y(top), X(right) - X(left), Y(bottom) - Y(top));
  },

  arrows(layer, view) {
    const at = frameOf(layer.at, view.at, view.smooth, view.scratch);
    const by = frameOf(layer.by, view.at, view.smooth, new Float32Array(0));
    const { context, X, Y } = view;
    const head = 5 * view.unit;
    context.strokeStyle = context.fillStyle = view.colors.css(layer.color, layer.alpha);
    context.lineWidth = layer.width * view.unit;
    context.beginPath();
    for (let i = 0; i < by.length; i += 2) {
      const x = X(at[i]);
      const y = Y(at[i + 1]);
      const dx = X(at[i] + layer.scale * by[i]) - x;
      const dy = Y(at[i + 1] + layer.scale * by[i + 1]) - y;
      const length = Math.hypot(dx, dy);
      if (!Number.isFinite(length) || length < 0.5) continue;
      const tip = Math.min(head, 0.45 * length) / length;
      context.moveTo(x, y);
      context.lineTo(x + dx, y + dy);
      context.moveTo(x + dx - tip * (dx + 0.55 * dy), y + dy - tip * (dy - 0.55 * dx));
      context.lineTo(x + dx, y + dy);
      context.lineTo(x + dx - tip * (dx - 0.55 * dy), y + dy - tip * (dy + 0.55 * dx));
    }
    context.stroke();
  },

  links(layer, view) {
    const at = frameOf(layer.at, view.at, view.smooth, view.scratch);
    const to = frameOf(layer.to, view.at, view.smooth, new Float32Array(0));
    const weights = frameOf(layer.weights, view.at, view.smooth, new Float32Array(0));
    const { context, X, Y } = view;
    for (let i = 0; i < weights.length; i++) {
      if (!(weights[i] > 0.002)) continue;
      context.strokeStyle = view.colors.css(layer.color, 0.35 + 0.5 * weights[i]);
      context.lineWidth = (0.5 + 9 * weights[i]) * view.unit;
      context.beginPath();
      context.moveTo(X(at[0]), Y(at[1]));
      context.lineTo(X(to[2 * i]), Y(to[2 * i + 1]));
      context.stroke();
    }
  },

  marks(layer, view) {
    const xy = frameOf(layer.xy, view.at, view.smooth, view.scratch);
    const { context, X, Y } = view;
    const arm = (layer.size / 2) * view.unit;
    context.fillStyle = view.colors.css(layer.color);
    context.lineJoin = "round";
    context.font = `${13 * view.unit}px ${view.font}`;
    context.textBaseline = "bottom";
    for (let i = 0; i < xy.length / 2; i++) {
      const [x, y] = [X(xy[2 * i]), Y(xy[2 * i + 1])];
      if (!Number.isFinite(x + y)) continue;
      context.strokeStyle = view.colors.css(layer.color);
      context.lineWidth = 2 * view.unit;
      context.beginPath();
      context.moveTo(x - arm, y);
      context.lineTo(x + arm, y);
      context.moveTo(x, y - arm);
      context.lineTo(x, y + arm);
      context.stroke();
      if (!layer.texts[i]) continue;
      context.strokeStyle = view.colors.css("page", 0.85); // a rim, to be read over anything
      context.lineWidth = 3.5 * view.unit;
      context.strokeText(layer.texts[i], x + 0.7 * arm, y - 0.3 * arm);
      context.fillText(layer.texts[i], x + 0.7 * arm, y - 0.3 * arm);
    }
  },

  handle() {}, // an element of the page: see Panel
  tiles(layer, view) {
    const values = frameOf(layer.values, view.at, false, view.scratch);
    const [n, rows, columns] = layer.values.shape;
    const across = Math.min(layer.columns, n);
    const down = Math.ceil(n / across);
    const now = (list) => (Array.isArray(list[0]) ? list[Math.round(view.at)] : list);
    const [captions, flagged] = [now(layer.captions), now(layer.flagged)];
    const warning = view.colors.rgb("warning");
    const text = captions.length ? 16 * view.unit : 0;
    const [wide, high] = [view.width / across, view.height / down];
    const scale = Math.max(Math.min((wide - 3) / columns, (high - 3 - text) / rows), 0.1);
    const [w, h] = [columns * scale, rows * scale];
    const left = (view.width - across * (w + 3)) / 2;
    const top = Math.max(view.height - down * (h + 3 + text), 0) / 2;
    const { context } = view;
    context.imageSmoothingEnabled = false;
    context.font = `${13 * view.unit}px ${view.font}`;
    context.textAlign = "center";
    context.textBaseline = "top";
    for (let i = 0; i < n; i++) {
      const pixels = new ImageData(columns, rows);
      for (let k = 0; k < rows * columns; k++) {
        const level = 127.5 * (1 + values[i * rows * columns + k]);
        for (let c = 0; c < 3; c++) pixels.data[4 * k + c] = Number.isFinite(level) ? level : warning[c];
        pixels.data[4 * k + 3] = 255;
      }
      const x = left + (i % across) * (w + 3);
      const y = top + Math.floor(i / across) * (h + 3 + text);
      context.drawImage(bitmap(pixels), x, y, w, h);
      if (flagged[i]) {
        context.strokeStyle = view.colors.css("warning");
        context.lineWidth = 2 * view.unit;
        context.strokeRect(x + view.unit, y + view.unit, w - 2 * view.unit, h - 2 * view.unit);
      }
      if (!captions[i]) continue;
      context.fillStyle = view.colors.css(flagged[i] ? "warning" : "text");
      context.fillText(captions[i], x + w / 2, y + h + 2 * view.unit);
    }
    context.textAlign = "left";
  },
};

function colorOf(layer, i) {
  return layer.classes ? CLASSES[layer.classes.values[i]] : layer.color;
}

function bitmap(pixels) {
  const canvas = new OffscreenCanvas(pixels.width, pixels.height);
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}

// Coverage, 0 to 255, of a disc about a point that lies `fx`, `fy` quarters into its pixel.
const STAMPS = new Map();
function stamp(radius, fx, fy) {
  const key = `${radius.toFixed(2)} ${fx} ${fy}`;
  if (!STAMPS.has(key)) {
    const half = Math.ceil(radius + 1);
    const side = 2 * half + 1;
    const cover = new Uint8Array(side * side);
    for (let y = 0; y < side; y++) {
      for (let x = 0; x < side; x++) {
        const d = Math.hypot(x - half + 0.5 - (fx + 0.5) / 4, y - half + 0.5 - (fy + 0.5) / 4);
        cover[y * side + x] = 255 * Math.min(Math.max(radius + 0.5 - d, 0), 1);
      }
    }
    STAMPS.set(key, { half, side, cover });
  }
  return STAMPS.get(key);
}

// Thousands of discs, written into pixels: several times as fast as as many arcs.
function stamped(layer, xy, radius, view) {
  const { width, height, X, Y } = view;
  const pixels = view.pixels();
  const data = pixels.data;
  const palette = layer.classes ? CLASSES.map((c) => view.colors.rgb(c)) : [view.colors.rgb(layer.color)];
  const n = xy.length / 2;
  const [x0, kx] = [X(0), X(1) - X(0)];
  const [y0, ky] = [Y(0), Y(1) - Y(0)];
  for (let i = 0; i < n; i++) {
    const px = x0 + kx * xy[2 * i];
    const py = y0 + ky * xy[2 * i + 1];
    if (!(px > -radius && px < width + radius && py > -radius && py < height + radius)) continue;
    const [ix, iy] = [Math.floor(px), Math.floor(py)];
    const { half, side, cover } = stamp(radius, Math.floor(4 * (px - ix)), Math.floor(4 * (py - iy)));
    const [r, g, b] = palette[layer.classes ? layer.classes.values[i] : 0];
    const [top, left] = [iy - half, ix - half];
    for (let y = Math.max(0, -top); y < side && top + y < height; y++) {
      let k = 4 * ((top + y) * width + Math.max(left, 0));
      for (let x = Math.max(0, -left); x < side && left + x < width; x++, k += 4) {
        const a = (cover[y * side + x] / 255) * layer.alpha;
        if (a === 0) continue;
        const under = data[k + 3] / 255;
        const over = a + under * (1 - a);
        const share = a / over;
        data[k] += share * (r - data[k]);
        data[k + 1] += share * (g - data[k + 1]);
        data[k + 2] += share * (b - data[k + 2]);
        data[k + 3] = 255 * over;
      }
    }
  }
  view.put(pixels);
}
