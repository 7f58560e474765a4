// The elements that set an explorer's values. `change(name, value)` is called when one is moved.
const CONTROL = {
  slider(spec, value, change) {
    const among = spec.among?.length ? spec.among : null; // the only values there are
    const input = make("input", { type: "range", min: 0, max: among ? among.length - 1 : spec.steps, step: 1 });
    const shown = make("output");
    const number = (k) => {
      if (among) return among[k];
      const u = k / spec.steps;
      const v = spec.logarithmic ? spec.low * (spec.high / spec.low) ** u : spec.low + u * (spec.high - spec.low);
      return spec.whole ? Math.round(v) : Number(v.toPrecision(12));
    };
    const position = (v) => {
      if (among) return among.reduce((best, a, i) => (Math.abs(a - v) < Math.abs(among[best] - v) ? i : best), 0);
      const u = spec.logarithmic ? Math.log(v / spec.low) / Math.log(spec.high / spec.low) : (v - spec.low) / (spec.high - spec.low);
      return Math.round(u * spec.steps);
    };
    const show = (v) => {
      shown.textContent = spec.whole ? String(v) : numeral(v);
      input.setAttribute("aria-valuetext", shown.textContent);
      input.setAttribute("aria-label", spec.label);
    };
    input.addEventListener("input", () => {
      const v = number(Number(input.value));
      show(v);
      change(spec.name, v);
    });
    const set = (v) => {
      input.value = position(v);
      show(v);
    };
    set(value);
    const idle = (yes) => (input.disabled = yes); // it has no effect now
    return { element: labelled(spec.label, input, shown), set, input, idle };
  },

  choice(spec, value, change) {
    const group = make("span", { className: "options", role: "radiogroup" });
    group.setAttribute("aria-label", spec.label);
    const id = `choice-${spec.name}-${Math.random().toString(36).slice(2)}`;
    const inputs = spec.options.map((option) => {
      const input = make("input", { type: "radio", name: id, value: option });
      input.addEventListener("change", () => change(spec.name, option));
      const label = make("label");
      label.append(input, make("span", { textContent: option }));
      group.append(label);
      return input;
    });
    const set = (v) => inputs.forEach((input) => (input.checked = input.value === v));
    set(value);
    const element = make("div", { className: "control choice" });
    element.append(make("span", { className: "name", textContent: spec.label }), group);
    return { element, set, input: inputs[0] };
  },

  toggle(spec, value, change) {
    const input = make("input", { type: "checkbox" });
    input.addEventListener("change", () => change(spec.name, input.checked, spec.local));
    const element = make("label", { className: "control toggle" });
    element.append(input, make("span", { className: "name", textContent: spec.label }));
    const set = (v) => (input.checked = v);
    set(value);
    return { element, set, input };
  },

  action(spec, value, change, act) {
    const button = make("button", { type: "button", className: "action", textContent: spec.label });
    button.addEventListener("click", () => act(spec.name));
    const element = make("div", { className: "control" });
    element.append(button);
    const running = (name) => {
      button.textContent = name === spec.name ? spec.stop : spec.label;
      button.disabled = Boolean(name) && name !== spec.name;
    };
    return { element, set: () => {}, running, input: button };
  },
};

function make(tag, properties = {}) {
  return Object.assign(document.createElement(tag), properties);
}

function labelled(text, input, shown) {
  const element = make("label", { className: "control slider" });
  element.append(make("span", { className: "name", textContent: text }), input, shown);
  return element;
}

// A number for people: three digits that matter, a real minus sign.
function numeral(v, digits = 3) {
  if (v === null || v === undefined || Number.isNaN(v)) return "–";
  if (typeof v === "string") return v;
  const size = Math.abs(v);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5)
    ? v.toExponential(digits - 1).replace(/e([+-])(\d+)/, (_, s, d) => ` · 10${superscript((s === "-" ? "-" : "") + d)}`)
    : size === 0 ? "0" : v.toFixed(Math.max(0, digits - 1 - Math.floor(Math.log10(size))));
  return text.replace("-", "\u2212");
}

function superscript(text) {
  return [...text].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)])).join("");
}
