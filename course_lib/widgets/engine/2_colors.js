// Colours by meaning, read from the style sheet, so that they follow the theme.
const CLASSES = ["0", "1", "2", "3", "4", "5"];

class Colors {
  constructor(element) {
    this.style = getComputedStyle(element);
    this.known = new Map();
  }
  // [red, green, blue] of a name.
  rgb(name) {
    if (!this.known.has(name)) {
      const text = this.style.getPropertyValue(`--c-${name}`).trim() || "#888888";
      this.known.set(name, [1, 3, 5].map((i) => parseInt(text.slice(i, i + 2), 16)));
    }
    return this.known.get(name);
  }
  css(name, alpha = 1) {
    return `rgba(${this.rgb(name).join(",")},${alpha})`;
  }
  // 256 × [red, green, blue] from the background to the densest, or from below 0 to above.
  ramp(kind) {
    const stops = kind === "signed" ? ["below", "page", "above"] : ["page", "thin", "dense"];
    const parts = stops.map((name) => this.rgb(name));
    const out = new Uint8ClampedArray(768);
    for (let i = 0; i < 256; i++) {
      const at = (i / 255) * 2;
      const k = Math.min(Math.floor(at), 1);
      for (let c = 0; c < 3; c++) out[3 * i + c] = parts[k][c] + (at - k) * (parts[k + 1][c] - parts[k][c]);
    }
    return out;
  }
}
