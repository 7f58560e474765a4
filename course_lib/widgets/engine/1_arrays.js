// Arrays of a scene: codes of one or two bytes, made floats once, on arrival.
const ABSENT = 65535;

function decoded(entry, buffers) {
  if (!entry || entry.at === undefined || !entry.shape) return entry;
  const view = buffers[entry.at];
  const bytes = view.buffer ? view : new DataView(view);
  const size = entry.shape.reduce((a, b) => a * b, 1);
  const values = new Float32Array(size);
  const { low, step } = entry;
  if (entry.type !== "u2") {
    const codes = new Uint8Array(bytes.buffer, bytes.byteOffset, size);
    const absent = entry.type === "grey" ? 255 : -1;
    for (let i = 0; i < size; i++) values[i] = codes[i] === absent ? NaN : low + step * codes[i];
  } else {
    const aligned = bytes.byteOffset % 2 === 0;
    const start = bytes.byteOffset;
    const codes = new Uint16Array(
      aligned ? bytes.buffer : bytes.buffer.slice(start, start + 2 * size), aligned ? start : 0, size);
    for (let i = 0; i < size; i++) values[i] = codes[i] === ABSENT ? NaN : low + step * codes[i];
  }
  const shape = entry.moving ? entry.shape.slice(1) : entry.shape;
  return { values, shape, moving: entry.moving, length: shape.reduce((a, b) => a * b, 1) };
}

// The numbers of an array at the frame `at`; between two frames if `smooth`.
function frameOf(array, at, smooth, scratch) {
  if (!array.moving) return array.values;
  const n = array.length;
  const first = Math.floor(at);
  const share = at - first;
  if (!smooth || share === 0) {
    const i = smooth ? first : Math.round(at);
    return array.values.subarray(i * n, (i + 1) * n);
  }
  const out = scratch.length >= n ? scratch : new Float32Array(n);
  const a = first * n;
  const b = a + n;
  const values = array.values;
  for (let i = 0; i < n; i++) out[i] = values[a + i] + share * (values[b + i] - values[a + i]);
  return out.subarray(0, n);
}
