// Stand-ins for anywidget's model on pages without Jupyter.
class Model {
  constructor(face, scene) {
    this.state = { face, scene };
    this.listeners = new Set();
  }
  get(name) {
    return this.state[name];
  }
  on(_, listener) {
    this.listeners.add(listener);
  }
  off(_, listener) {
    this.listeners.delete(listener);
  }
  put(scene) {
    this.state.scene = scene;
    for (const listener of this.listeners) listener();
  }
}

// Python is at the other end of a socket.
class SocketModel extends Model {
  constructor(address, face) {
    super(face, null);
    this.waiting = [];
    this.connect(address);
  }
  connect(address) {
    this.socket = new WebSocket(address);
    this.socket.binaryType = "arraybuffer";
    this.socket.onopen = () => {
      for (const message of this.waiting.splice(0)) this.socket.send(message);
    };
    this.socket.onmessage = ({ data }) => this.put({ ...this.state.scene, ...unpacked(data) });
    this.socket.onclose = () => this.put({ ...this.state.scene, serial: 1e9, error: "The server has gone. Start `course demo` again and reload." });
  }
  send(message) {
    const text = JSON.stringify(message);
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(text);
    else this.waiting.push(text);
  }
}

// Everything was computed beforehand: a question is answered by the nearest of the variants.
class FrozenModel extends Model {
  constructor(face, variants, arrays) {
    super(face, null);
    this.variants = variants;
    this.arrays = arrays.map((text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer));
    this.number = 0;
    this.answer(face.values, 0);
  }
  send(message) {
    if (message.kind === "ask") setTimeout(() => this.answer(message.values, message.serial));
  }
  answer(values, serial) {
    let best = this.variants[0];
    let least = Infinity;
    for (const variant of this.variants) {
      const away = distance(values, variant.values);
      if (away < least) [best, least] = [variant, away];
    }
    this.number += 1;
    const arrays = best.arrays.map((i) => this.arrays[i]);
    this.put({ spec: best.spec, arrays, number: this.number, serial, error: best.error ?? null, running: null, values: best.values });
  }
}

function distance(a, b) {
  let sum = 0;
  for (const [name, value] of Object.entries(b)) {
    const other = a[name];
    if (Array.isArray(value)) sum += value.reduce((s, v, i) => s + Math.abs(v - (other?.[i] ?? 0)), 0);
    else if (typeof value === "number") sum += Math.abs(value - other) / (Math.abs(value) + Math.abs(other) + 1e-9);
    else if (value !== other) sum += 1000;
  }
  return sum;
}

// One message: the length of its JSON, the JSON, and the arrays one after another.
function unpacked(data) {
  const size = new DataView(data).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, size)));
  if (!head.lengths) return head;
  let at = 4 + size;
  const arrays = head.lengths.map((length) => {
    const view = new DataView(data, at, length);
    at += length;
    return view;
  });
  return { ...head, arrays };
}
