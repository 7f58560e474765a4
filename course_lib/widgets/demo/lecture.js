// A page of a lecture: a presenter's keys, light and dark, full screen. Returns what switches the last.
function lecture({ pages = [], previous, next, contents }) {
  const root = document.documentElement;
  const dark = () => localStorage.getItem("course-theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const theme = (name) => {
    root.dataset.theme = name;
  };
  theme(dark());

  // A new page would end full screen, so there it comes in a frame that fills this one.
  let frame = null;
  let moved = null; // where one is after leaving full screen
  const go = (address) => {
    if (!address) return;
    if (!document.fullscreenElement) {
      location.href = address;
      return;
    }
    document.querySelector(".stage")?.stage.destroy();
    frame = Object.assign(document.createElement("iframe"), { className: "page", src: address, allow: "fullscreen" });
    frame.onload = () => frame.contentWindow.focus();
    document.body.replaceChildren(frame);
  };
  const framed = window.parent !== window;
  const fullScreen = () => {
    if (framed) window.parent.postMessage({ course: "full screen" }, "*");
    else if (document.fullscreenElement) document.exitFullscreen();
    else root.requestFullscreen?.();
  };
  if (framed) window.parent.postMessage({ course: "page", title: document.title, address: location.href }, "*");
  window.addEventListener("message", ({ data, source }) => {
    if (!frame || source !== frame.contentWindow) return;
    if (data.course === "full screen") fullScreen();
    if (data.course !== "page") return;
    document.title = data.title;
    try {
      history.replaceState(null, "", data.address); // so that reloading shows this page
    } catch {
      moved = data.address; // pages that are files may not
    }
  });
  document.addEventListener("fullscreenchange", () => {
    if (moved && !document.fullscreenElement) location.href = moved;
  });

  const actions = {
    n: () => go(next),
    p: () => go(previous),
    PageDown: () => go(next),
    PageUp: () => go(previous),
    c: () => go(contents),
    Escape: () => document.fullscreenElement || go(contents), // of full screen it is the browser's key
    f: fullScreen,
    d: () => {
      const other = dark() === "dark" ? "light" : "dark";
      localStorage.setItem("course-theme", other);
      theme(other);
    },
  };
  pages.slice(0, 9).forEach((address, i) => (actions[i + 1] = () => go(address)));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const action = actions[event.key] ?? actions[event.key.toLowerCase()];
    if (action) {
      event.preventDefault();
      action();
    } else {
      const stage = document.querySelector(".stage")?.stage;
      if (stage && !stage.root.contains(event.target)) stage.key(event);
    }
  });
  for (const button of document.querySelectorAll("[data-key]")) {
    button.addEventListener("click", (event) => {
      event.preventDefault(); // a link to nowhere would scroll to the top
      actions[button.dataset.key]();
    });
  }
  for (const link of document.querySelectorAll("nav a[href], .contents a[href]")) {
    if (link.dataset.key) continue;
    link.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // into a tab or window of its own
      event.preventDefault();
      go(link.getAttribute("href"));
    });
  }
  return fullScreen;
}
