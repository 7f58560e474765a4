// Which frame is shown: plays, pauses, steps, loops; `onchange` is called when it has changed.
class Clock {
  constructor(onchange) {
    this.onchange = onchange;
    this.frames = 1;
    this.at = 0;
    this.seconds = 6;
    this.speed = 1;
    this.loop = true;
    this.playing = false;
  }
  get last() {
    return this.frames - 1;
  }
  // New frames; the share of the way that was shown stays, if `keep`.
  reset(frames, seconds, start, keep) {
    const share = this.last > 0 ? this.at / this.last : 0;
    this.frames = frames;
    this.seconds = seconds;
    this.at = keep ? (this.playing ? share * this.last : Math.round(share * this.last)) : this.opening(start);
  }
  // The frame that a scene opens with; `start` may count from the end.
  opening(start) {
    return Math.min(Math.max(start < 0 ? this.frames + start : start, 0), this.last);
  }
  // As it was at first.
  rewind(start) {
    this.pause();
    Object.assign(this, { at: this.opening(start), speed: 1, loop: true });
    this.onchange();
  }
  seek(at) {
    this.at = Math.min(Math.max(at, 0), this.last);
    this.onchange();
  }
  step(by) {
    this.pause();
    const whole = by > 0 ? Math.floor(this.at) : Math.ceil(this.at);
    this.seek(whole + by);
  }
  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }
  play() {
    if (this.playing || this.last < 1) return;
    if (this.at >= this.last) this.at = 0;
    this.playing = true;
    let before = null;
    const tick = (now) => {
      if (!this.playing) return;
      if (before !== null) this.advance(((now - before) / 1000) * this.speed);
      before = now;
      if (this.playing) this.request = requestAnimationFrame(tick);
    };
    this.request = requestAnimationFrame(tick);
    this.onchange();
  }
  advance(seconds) {
    this.at += (seconds / this.seconds) * this.last;
    if (this.at >= this.last) {
      this.at = this.loop ? 0 : this.last;
      if (!this.loop) this.playing = false;
    }
    this.onchange();
  }
  pause() {
    if (!this.playing) return;
    this.playing = false;
    cancelAnimationFrame(this.request);
    this.at = Math.round(this.at);
    this.onchange();
  }
}
