// A pair of axes: words are elements of the page, everything else is drawn on one canvas.
class Panel {
  constructor(spec, buffers, stage) {
    this.spec = spec;
    this.stage = stage;
    this.scratch = new Float32Array(0);
    this.layers = spec.layers.map((layer) => {
      const copy = { ...layer };
      for (const [name, value] of Object.entries(layer)) copy[name] = decoded(value, buffers);
      const arrays = Object.values(copy).filter((v) => v && v.values instanceof Float32Array);
      for (const a of arrays) if (a.moving && a.length > this.scratch.length) this.scratch = new Float32Array(a.length);
      copy.changes = copy.growing || arrays.some((a) => a.moving);
      return copy;
    });
    this.still = this.layers.findIndex((layer) => layer.changes);
    if (this.still < 0) this.still = this.layers.length;
    this.build();
  }

  build() {
    const { spec } = this;
    const make = (tag, name, text) => {
      const e = document.createElement(tag);
      e.className = name;
      if (text) e.textContent = text;
      return e;
    };
    this.element = make("figure", spec.x ? "panel" : "panel bare");
    this.element.style.flex = `${spec.span} 1 0`;
    if (spec.title) this.element.append(make("figcaption", "title", spec.title));
    const bare = [spec.xlabel ? "" : " no-x", spec.ylabel ? "" : " no-y"];
    this.plot = make("div", `plot${bare.join("")}`);
    this.box = make("div", "box");
    this.canvas = make("canvas", "");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", spec.describe || spec.title || "figure");
    this.box.append(this.canvas);
    this.plot.append(this.box);
    if (spec.x) {
      this.ticks = { x: make("div", "ticks x"), y: make("div", "ticks y") };
      this.box.append(this.ticks.x, this.ticks.y);
      this.box.append(make("div", "label x", spec.xlabel), make("div", "label y", spec.ylabel));
    }
    this.element.append(this.plot);
    for (const layer of this.layers) if (layer.kind === "handle") this.addHandle(layer);
    if (spec.draw) this.addBrush(spec.draw);
    this.context = this.canvas.getContext("2d");
    this.base = document.createElement("canvas");
    this.sheet = document.createElement("canvas");
  }

  // Fit the box into its place: as large as there is room, a unit as long on both axes if `equal`.
  resize() {
    const { spec } = this;
    const ratio = window.devicePixelRatio || 1;
    this.plot.classList.toggle("equal", spec.equal);
    const style = getComputedStyle(this.plot);
    const inner = (a, b) => parseFloat(style[`padding${a}`]) + parseFloat(style[`padding${b}`]);
    let width = this.plot.clientWidth - inner("Left", "Right");
    let height = this.plot.clientHeight - inner("Top", "Bottom");
    if (spec.equal && spec.x) {
      const aspect = (spec.x[1] - spec.x[0]) / (spec.y[1] - spec.y[0]);
      [width, height] = [Math.min(width, height * aspect), Math.min(height, width / aspect)];
    }
    width = Math.max(Math.floor(width), 40);
    height = Math.max(Math.floor(height), 40);
    this.box.style.width = `${width}px`;
    this.box.style.height = `${height}px`;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    for (const canvas of [this.canvas, this.base, this.sheet]) {
      canvas.width = w;
      canvas.height = h;
    }
    this.pixels = null;
    this.unit = ratio * this.stage.unit();
    if (spec.x) {
      const size = 13 * this.stage.unit();
      this.setTicks("x", spec.x, width / (4.2 * size), (share) => ["left", share]);
      this.setTicks("y", spec.y, height / (3 * size), (share) => ["bottom", share]);
    }
    for (const place of this.handles ?? []) place();
    this.paintBase();
  }

  setTicks(axis, [low, high], count, where) {
    const place = this.ticks[axis];
    place.replaceChildren();
    const nice = niceStep((high - low) / Math.max(count, 2));
    const step = axis === "y" && this.spec.whole ? Math.max(nice, 1) : nice;
    const digits = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * (high - low); k++) {
      const tick = document.createElement("span");
      tick.textContent = (k * step).toFixed(digits).replace("-", "\u2212");
      const [side, share] = where((k * step - low) / (high - low));
      tick.style[side] = `${100 * share}%`;
      place.append(tick);
    }
  }

  get scales() {
    const { spec, canvas } = this;
    if (!spec.x) return { X: (x) => x, Y: (y) => y };
    const kx = canvas.width / (spec.x[1] - spec.x[0]);
    const ky = canvas.height / (spec.y[1] - spec.y[0]);
    return { X: (x) => (x - spec.x[0]) * kx, Y: (y) => canvas.height - (y - spec.y[0]) * ky };
  }

  view(context, at) {
    const { canvas, sheet } = this;
    const own = sheet.getContext("2d");
    return {
      context, at, ...this.scales,
      x: this.spec.x, y: this.spec.y, unit: this.unit, colors: this.stage.colors, font: this.stage.font,
      smooth: this.stage.smooth, scratch: this.scratch, width: canvas.width, height: canvas.height,
      pixels: () => {
        if (this.pixels) this.pixels.data.fill(0);
        else this.pixels = own.createImageData(sheet.width, sheet.height);
        return this.pixels;
      },
      put: (pixels) => {
        own.putImageData(pixels, 0, 0);
        context.drawImage(sheet, 0, 0);
      },
    };
  }

  draw(layers, context, at) {
    const view = this.view(context, at);
    for (const layer of layers) {
      if (layer.only && this.stage.values[layer.only] === false) continue;
      DRAW[layer.kind](layer, view);
    }
  }

  // What does not change in time is drawn once.
  paintBase() {
    const context = this.base.getContext("2d");
    context.clearRect(0, 0, this.base.width, this.base.height);
    this.draw(this.layers.slice(0, this.still), context, 0);
    this.painted = null;
  }

  paint(at) {
    if (this.painted === at) return;
    const { context, canvas } = this;
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(this.base, 0, 0);
    const moving = this.layers.slice(this.still);
    const under = this.strokes ? moving.filter((layer) => layer.kind === "image") : [];
    this.draw(under, context, at);
    if (this.strokes) this.paintStrokes();
    this.draw(moving.filter((layer) => !under.includes(layer)), context, at);
    this.painted = at;
  }

  // From a pointer event to the panel's units.
  units(event) {
    const area = this.canvas.getBoundingClientRect();
    const { x, y } = this.spec;
    const [u, v] = [(event.clientX - area.left) / area.width, (event.clientY - area.top) / area.height];
    return [x[0] + clamp01(u) * (x[1] - x[0]), y[1] - clamp01(v) * (y[1] - y[0])];
  }

  // A point to drag, or to move with the arrow keys.
  addHandle(layer) {
    const { x, y } = this.spec;
    const handle = document.createElement("button");
    handle.className = "handle";
    handle.type = "button";
    handle.dataset.name = layer.name;
    let at = [...(this.stage.values[layer.name] ?? layer.at)];
    const place = () => {
      handle.style.left = `${(100 * (at[0] - x[0])) / (x[1] - x[0])}%`;
      handle.style.bottom = `${(100 * (at[1] - y[0])) / (y[1] - y[0])}%`;
      handle.setAttribute("aria-label", `${layer.label}, at ${at.map((v) => v.toFixed(2)).join(", ")}; arrow keys move it`);
    };
    const within = (v, [low, high]) => { // not cut off at the rim
      const rim = 0.03 * (high - low);
      return Math.min(Math.max(v, low + rim), high - rim);
    };
    const move = (to) => {
      at = [within(to[0], x), within(to[1], y)];
      place();
      this.stage.setValue(layer.name, at);
    };
    // From the handle, or from any place of the panel: it comes to where one presses.
    const follow = (element) => {
      element.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        element.setPointerCapture(event.pointerId);
        this.stage.held = layer.name;
        event.stopPropagation();
        event.preventDefault(); // no selection of words on the way
        this.stage.root.focus({ preventScroll: true });
        if (element !== handle) move(this.units(event));
      });
      element.addEventListener("pointermove", (event) => {
        if (element.hasPointerCapture(event.pointerId)) move(this.units(event));
      });
      element.addEventListener("lostpointercapture", () => {
        this.stage.held = null;
        this.stage.setValue(layer.name, at); // where a frozen page has no such place, it snaps
      });
    };
    follow(handle);
    follow(this.canvas);
    this.canvas.classList.add("holds");
    handle.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!way) return;
      event.preventDefault();
      event.stopPropagation();
      const step = event.shiftKey ? 0.1 : 0.02;
      move([at[0] + way[0] * step * (x[1] - x[0]), at[1] + way[1] * step * (y[1] - y[0])]);
    });
    this.handles = [...(this.handles ?? []), place];
    place();
    this.box.append(handle);
  }

  // Drawing with the pointer; or with the arrow keys, and the space bar to dab.
  addBrush(name) {
    this.stage.drawings.add(name);
    this.strokes = [...(this.stage.values[name] ?? [])];
    const { canvas } = this;
    const { x, y } = this.spec;
    canvas.tabIndex = 0;
    canvas.classList.add("brush");
    canvas.dataset.name = name; // for its focus: see Stage.show
    this.brush = this.stage.brush;
    const begin = () => this.stage.begun.push(this.strokes.length);
    this.undo = () => { // the last line, or the last dab
      const { begun } = this.stage;
      while (begun.length && begun[begun.length - 1] >= this.strokes.length) begun.pop(); // of an older drawing
      this.strokes.length = begun.pop() ?? 0;
      this.painted = null;
      this.stage.setValue(name, [...this.strokes]);
      this.stage.schedule();
    };
    const dab = (point) => {
      this.strokes.push(point.map((v) => Math.round(1e4 * v) / 1e4));
      this.painted = null;
      this.stage.schedule();
    };
    const line = (to) => { // its dots are as close however fast the pointer moves
      const from = this.strokes[this.strokes.length - 1];
      const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
      const dots = Math.floor(Math.hypot(dx, dy) / (0.008 * (x[1] - x[0])));
      for (let k = 1; k <= dots; k++) dab([from[0] + (k / dots) * dx, from[1] + (k / dots) * dy]);
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.stage.drawing = true;
      begin();
      dab(this.units(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (canvas.hasPointerCapture(event.pointerId)) line(this.units(event));
    });
    canvas.addEventListener("lostpointercapture", () => {
      this.stage.drawing = false;
      this.stage.setValue(name, [...this.strokes]);
    });
    for (const kind of ["focus", "blur"]) {
      canvas.addEventListener(kind, () => {
        this.painted = null;
        this.stage.schedule();
      });
    }
    canvas.addEventListener("keydown", (event) => {
      const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
      if (!way && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      const at = this.brush ?? [(x[0] + x[1]) / 2, (y[0] + y[1]) / 2];
      if (way) this.brush = [at[0] + 0.03 * way[0] * (x[1] - x[0]), at[1] + 0.03 * way[1] * (y[1] - y[0])];
      else {
        begin();
        dab(at);
      }
      this.stage.brush = this.brush;
      this.painted = null;
      this.stage.schedule();
      if (event.key === " ") this.stage.setValue(name, [...this.strokes]);
    });
  }

  paintStrokes() {
    const { X, Y } = this.scales;
    const { context } = this;
    const behind = this.layers.some((layer) => layer.kind === "points" && layer.xy.length); // particles
    context.fillStyle = this.stage.colors.css("end", behind ? 0.4 : 0.8);
    context.beginPath(); // as one shape, which does not get darker where dots overlap
    for (const [x, y] of this.strokes) {
      context.moveTo(X(x) + 5 * this.unit, Y(y));
      context.arc(X(x), Y(y), 5 * this.unit, 0, 2 * Math.PI);
    }
    context.fill();
    if (!this.brush || document.activeElement !== this.canvas) return;
    context.strokeStyle = this.stage.colors.css("text"); // the pen of a keyboard
    context.lineWidth = 2 * this.unit;
    context.beginPath();
    context.arc(X(this.brush[0]), Y(this.brush[1]), 8 * this.unit, 0, 2 * Math.PI);
    context.stroke();
  }
}

const clamp01 = (u) => Math.min(Math.max(u, 0), 1);

// 1, 2 or 5 times a power of ten, about `least` or more.
function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].find((m) => m * power >= least * 0.8) * power;
}
