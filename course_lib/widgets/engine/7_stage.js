// The whole widget: heading, panels, transport, controls, words under the figure.
//
// `model` is what anywidget hands over, or a stand-in on pages without Jupyter:
//   get("face")   {title, question, controls, values}
//   get("scene")  {spec, arrays, serial, error, running, values}
//   on("change:scene", f), off(...), send({kind: "ask", values, serial}), …"start", …"stop"
const LOST = "The kernel was restarted, and does not know this widget any more. Run its cell again.";
const SILENCE = "Python has not answered yet.";
const WHY = " Is another cell running? Then wait. Was the kernel restarted? Then run this cell again.";
const SPEEDS = [0.25, 0.5, 1, 2, 4];

// Drawn, since not every font has them.
const ICONS = {
  play: "M4 2 L14 8 L4 14 Z",
  pause: "M3 2 H7 V14 H3 Z M9 2 H13 V14 H9 Z",
  back: "M3 2 H5.5 V14 H3 Z M14 2 V14 L6 8 Z",
  on: "M2 2 L10 8 L2 14 Z M10.5 2 H13 V14 H10.5 Z",
  full: "M2 2 H7 V4 H4 V7 H2 Z M9 2 H14 V7 H12 V4 H9 Z M2 9 H4 V12 H7 V14 H2 Z M12 9 H14 V14 H9 V12 H12 Z",
};

function icon(name) {
  return `<svg viewBox="0 0 16 16" width="1em" height="1em" aria-hidden="true"><path fill="currentColor" d="${ICONS[name]}"/></svg>`;
}

class Stage {
  constructor(model, parent, options = {}) {
    this.model = model;
    this.options = options; // `fullScreen`: switches it, where the widget has a page of its own
    this.face = model.get("face");
    this.values = { ...this.face.values };
    this.serial = 0;
    this.answered = 0;
    this.panels = [];
    this.smooth = true;
    this.drawings = new Set(); // names of values that can be drawn
    this.begun = []; // where the lines of a drawing begin
    this.patience = 10; // seconds without an answer, before one is told
    this.clock = new Clock(() => this.schedule());
    this.build(parent);
    this.colors = new Colors(this.root);
    this.onscene = () => this.receive(model.get("scene"));
    model.on("change:scene", this.onscene);
    this.watch();
    this.receive(model.get("scene"));
  }

  build(parent) {
    const { face } = this;
    this.root = make("section", { className: "stage", tabIndex: 0 });
    this.root.setAttribute("aria-label", face.title);
    const head = make("header");
    head.append(make("h3", { textContent: face.title }), make("p", { className: "question", textContent: face.question }));
    this.figure = make("div", { className: "figure" });
    this.legend = make("div", { className: "legend" });
    this.error = make("p", { className: "error", hidden: true });
    this.error.setAttribute("role", "alert");
    this.readouts = make("div", { className: "readouts" });
    this.note = make("p", { className: "note" });
    this.knobs = make("div", { className: "controls" });
    this.buildTransport();
    this.controls = {};
    for (const spec of face.controls) {
      const control = CONTROL[spec.kind](spec, this.values[spec.name], (...a) => this.setValue(...a), (name) => this.act(name));
      this.controls[spec.name] = { ...control, local: spec.local };
      this.knobs.append(control.element);
    }
    this.root.append(head, this.error, this.figure, this.legend, this.transport, this.knobs, this.readouts, this.note);
    this.root.addEventListener("keydown", (event) => this.key(event));
    this.root.addEventListener("change", () => this.letGo());
    this.root.addEventListener("click", (event) => event.target.matches("select, option") || this.letGo()); // its menu has just opened
    parent.append(this.root);
  }

  buildTransport() {
    this.transport = make("div", { className: "transport" });
    const button = (name, label, action) => {
      const b = make("button", { type: "button", innerHTML: icon(name), title: label });
      b.setAttribute("aria-label", label);
      b.addEventListener("click", action);
      return b;
    };
    this.playButton = button("play", "play (space)", () => this.clock.toggle());
    const back = button("back", "one frame back (←)", () => this.clock.step(-1));
    const on = button("on", "one frame on (→)", () => this.clock.step(1));
    this.time = make("input", { type: "range", className: "time", min: 0, step: "any" });
    this.time.setAttribute("aria-label", "time");
    this.time.addEventListener("input", () => {
      this.clock.pause();
      this.clock.seek(Number(this.time.value));
    });
    this.time.addEventListener("keydown", (event) => {
      if (!["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) return;
      this.key(event);
    });
    this.shown = make("output", { className: "clock" });
    this.speed = make("select", { title: "speed ([ and ])" });
    this.speed.setAttribute("aria-label", "speed");
    for (const s of SPEEDS) this.speed.append(make("option", { value: s, textContent: `${s}×` }));
    this.speed.value = 1;
    this.speed.addEventListener("pointerdown", () => (this.speed.pointed = true));
    this.speed.addEventListener("change", () => {
      this.clock.speed = Number(this.speed.value);
      if (this.speed.pointed) this.root.focus({ preventScroll: true }); // even if a key chose in the open menu
      this.speed.pointed = false;
    });
    const loop = make("label", { className: "loop", title: "start again at the end (L)" });
    this.loop = make("input", { type: "checkbox", checked: true });
    this.loop.addEventListener("change", () => (this.clock.loop = this.loop.checked));
    loop.append(this.loop, make("span", { textContent: "loop" }));
    const full = button("full", "full screen (F)", () => this.fullScreen());
    full.className = "full";
    this.transport.append(this.playButton, back, on, this.time, this.shown, this.speed, loop, full);
  }

  // A new scene, or an error beside the old one.
  receive(scene) {
    if (!scene) return;
    this.answered = Math.max(this.answered, scene.serial ?? 0);
    if (this.serial === this.answered) this.rest();
    this.say(scene.error ?? "");
    for (const control of Object.values(this.controls)) control.running?.(scene.running);
    this.running = scene.running;
    for (const [name, value] of Object.entries(scene.values ?? {})) {
      if (scene.error || this.next || this.serial > this.answered) break; // what was set last stays
      if (this.controls[name]?.local) continue; // Python is not told of it, and knows an older one
      if (this.held !== name) this.values[name] = value;
      this.controls[name]?.set(value);
    }
    if (this.next && this.serial === this.answered) this.ask();
    if (!scene.spec || scene.number === this.number || this.drawing) return; // asked again after it
    this.number = scene.number;
    this.show(scene.spec, scene.arrays);
  }

  show(spec, buffers) {
    const first = !this.spec;
    const focus = document.activeElement?.dataset?.name;
    const same = !first && this.held && sameShape(spec, this.spec);
    this.spec = spec;
    this.smooth = spec.smooth;
    this.clock.reset(spec.frames, spec.seconds, spec.start, !first);
    if (same) this.exchange(spec, buffers); // a handle under the pointer stays where it is
    else this.lay(spec, buffers);
    this.legend.replaceChildren(...spec.legend.map(([color, mark, words]) => {
      const entry = make("span", { className: `entry ${mark}`, textContent: words });
      entry.style.setProperty("--mark", `var(--c-${color})`);
      return entry;
    }));
    for (const [name, control] of Object.entries(this.controls)) control.idle?.(spec.idle.includes(name));
    this.transport.classList.toggle("still", spec.frames < 2);
    this.time.max = this.clock.last;
    this.note.textContent = spec.note;
    this.readoutFields = spec.readouts.map((readout) => {
      const value = make("b");
      const entry = make("span", { className: "readout" });
      if (readout.color) entry.style.setProperty("--mark", `var(--c-${readout.color})`);
      entry.append(make("span", { textContent: readout.label }), value);
      return { ...readout, entry, field: value };
    });
    this.readouts.replaceChildren(...this.readoutFields.map((r) => r.entry));
    this.write(); // words take room, which the panels must know
    this.resize();
    if (focus) this.figure.querySelector(`[data-name="${focus}"]`)?.focus({ preventScroll: true });
    if (first && this.options.play && spec.frames > 1) this.clock.play();
  }

  lay(spec, buffers) {
    this.panels = spec.panels.map((panel) => new Panel(panel, buffers, this));
    const rows = [];
    for (const panel of this.panels) (rows[panel.spec.row] ??= make("div", { className: "row" })).append(panel.element);
    rows.forEach((row, i) => row.style.setProperty("--tall", tall(spec.panels.filter((panel) => panel.row === i))));
    this.figure.replaceChildren(...rows.filter(Boolean));
    this.figure.style.setProperty("--rows", rows.length);
  }

  exchange(spec, buffers) {
    spec.panels.forEach((panel, i) => {
      const fresh = new Panel(panel, buffers, this);
      Object.assign(this.panels[i], { spec: panel, layers: fresh.layers, still: fresh.still, scratch: fresh.scratch });
    });
  }

  unit() {
    const share = this.figure.clientWidth / 1000;
    return Math.min(Math.max(share, 0.75), 2.2);
  }

  resize() {
    if (!this.spec || !this.figure.clientWidth) return;
    this.root.style.setProperty("--unit", this.unit());
    for (const panel of this.panels) panel.box.style.height = 0; // what is there must not keep the room that words took
    this.font = getComputedStyle(this.root).fontFamily;
    for (const panel of this.panels) panel.resize();
    this.paint();
  }

  watch() {
    this.sizes = new ResizeObserver(() => this.resize());
    this.sizes.observe(this.figure);
    this.themes = new MutationObserver(() => this.recolor());
    for (const target of [document.body, document.documentElement, this.root]) {
      this.themes.observe(target, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-theme", "class"] });
    }
  }

  recolor() {
    const page = getComputedStyle(this.root).getPropertyValue("--c-page");
    if (page === this.page) return;
    this.page = page;
    this.colors = new Colors(this.root);
    for (const panel of this.panels) panel.paintBase(); // the page may be hidden just now
    this.paint();
  }

  schedule() {
    if (this.pending) return;
    this.pending = requestAnimationFrame(() => {
      this.pending = null;
      this.paint();
    });
  }

  paint() {
    if (!this.spec) return;
    const { clock, spec } = this;
    for (const panel of this.panels) panel.paint(clock.at);
    if (this.playing !== clock.playing) {
      this.playing = clock.playing;
      this.playButton.innerHTML = icon(clock.playing ? "pause" : "play");
      this.playButton.title = clock.playing ? "pause (space)" : "play (space)";
      this.playButton.setAttribute("aria-label", this.playButton.title);
    }
    this.time.value = clock.at;
    if (spec.times) {
      const a = Math.floor(clock.at);
      const b = Math.min(a + 1, clock.last);
      const t = spec.times[a] + (clock.at - a) * (spec.times[b] - spec.times[a]);
      const whole = spec.clock !== "t" && spec.times.every(Number.isInteger);
      this.shown.textContent = `${spec.clock} = ${whole ? Math.round(t) : t.toFixed(2)}`;
      this.time.setAttribute("aria-valuetext", this.shown.textContent);
    }
    this.write();
  }

  // The numbers of the present frame.
  write() {
    const { clock } = this;
    for (const { field, value, digits, unit } of this.readoutFields) {
      const v = typeof value === "string" ? value : value[value.length > 1 ? Math.round(clock.at) : 0];
      const text = numeral(v, digits) + (unit ? ` ${unit}` : "");
      if (field.textContent !== text) field.textContent = text;
    }
  }

  setValue(name, value, local = false) {
    this.values[name] = value;
    if (local) {
      for (const panel of this.panels) panel.paintBase();
      this.paint();
      return;
    }
    this.next = true;
    if (this.serial === this.answered) this.ask();
  }

  say(words) {
    if (words === this.error.textContent) return;
    this.error.hidden = !words;
    this.error.textContent = words;
    this.resize();
  }

  // After a restart of the kernel what came still plays, and nothing else will come.
  send(message) {
    try {
      this.model.send(message);
    } catch {
      this.answered = this.serial;
      this.rest();
      this.say(LOST);
    }
  }

  // No longer wait.
  rest() {
    clearTimeout(this.late);
    clearTimeout(this.silent);
    this.root.classList.toggle("waiting", false);
  }

  // One question at a time; what changes meanwhile goes into the next.
  ask() {
    this.next = false;
    this.serial += 1;
    this.late = setTimeout(() => this.root.classList.toggle("waiting", true), 200);
    this.silent = setTimeout(() => this.say(SILENCE + (this.options.fullScreen ? "" : WHY)), 1000 * this.patience);
    this.send({ kind: "ask", values: this.values, serial: this.serial });
  }

  act(name) {
    if (this.running) this.send({ kind: "stop" });
    else this.send({ kind: "start", action: name, values: this.values });
  }

  reset() {
    if (this.running) this.send({ kind: "stop" });
    const drawn = [...this.drawings].map((name) => [name, this.values[name]]); // they take a while to make
    this.values = { ...this.face.values, ...Object.fromEntries(drawn) };
    for (const [name, control] of Object.entries(this.controls)) control.set(this.values[name]);
    this.held = null;
    this.clock.rewind(this.spec?.start ?? 0);
    this.speed.value = this.clock.speed;
    this.loop.checked = this.clock.loop;
    this.next = true;
    if (this.serial === this.answered) this.ask();
  }

  key(event) {
    const plain = !(event.ctrlKey || event.metaKey || event.altKey);
    // A notebook would take letters and arrows for its own commands.
    const leaves = ["Tab", "Escape"].includes(event.key) || (event.key === "Enter" && event.shiftKey);
    if (plain && !leaves && !this.options.fullScreen) event.stopPropagation();
    const actions = {
      " ": () => this.clock.toggle(),
      ArrowLeft: () => this.clock.step(event.shiftKey ? -10 : -1),
      ArrowRight: () => this.clock.step(event.shiftKey ? 10 : 1),
      Home: () => this.clock.seek(0),
      End: () => this.clock.seek(this.clock.last),
      "[": () => this.faster(-1),
      "]": () => this.faster(1),
      l: () => this.loop.click(),
      r: () => this.reset(),
      f: () => this.fullScreen(),
      Backspace: () => this.panels.find((panel) => panel.undo)?.undo(),
    };
    const action = actions[event.key] ?? actions[event.key.toLowerCase()]; // Caps Lock may be on
    if (!action || !plain || keeps(event.target, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    action();
  }

  faster(by) {
    const k = Math.min(Math.max(SPEEDS.indexOf(this.clock.speed) + by, 0), SPEEDS.length - 1);
    this.clock.speed = SPEEDS[k];
    this.speed.value = SPEEDS[k];
  }

  fullScreen() {
    if (this.options.fullScreen) this.options.fullScreen();
    else if (document.fullscreenElement) document.exitFullscreen();
    else this.root.requestFullscreen?.();
  }

  // After a pointer was used, the keys are the clock's again; a control that was reached by Tab keeps them.
  letGo() {
    const held = document.activeElement;
    if (held !== this.root && this.root.contains(held) && !held.matches(":focus-visible")) this.root.focus({ preventScroll: true });
  }

  destroy() {
    if (this.running) this.send({ kind: "stop" }); // nobody could stop it any more
    this.clock.playing = false;
    this.model.off("change:scene", this.onscene);
    this.sizes.disconnect();
    this.themes.disconnect();
    this.root.remove();
  }
}

// How high a row need be: as its largest panel with equal units, whose width is its share of the row.
function tall(panels) {
  const spans = panels.reduce((sum, { span }) => sum + span, 0);
  const high = panels.map(({ equal, span, x, y }) => (equal && x ? ((span / spans) * (y[1] - y[0])) / (x[1] - x[0]) : 0));
  const most = Math.max(...high);
  return most > 0 ? `${Math.min(100 * most + 1, 40)}cqw` : "40cqw";
}

// Whether a focused control does something of its own with a key.
function keeps(control, key) {
  const moves = ["ArrowLeft", "ArrowRight", "Home", "End"].includes(key);
  if (control.matches(".time, .handle")) return false;
  if (control.matches("[type=range], [type=radio]")) return moves;
  if (control.matches("select")) return moves || key === " ";
  return control.matches("button, [type=checkbox]") && key === " ";
}

function sameShape(a, b) {
  const form = (spec) => JSON.stringify(spec.panels.map((p) => [p.x, p.y, p.row, p.span, p.layers.map((l) => l.kind)]));
  return form(a) === form(b);
}
