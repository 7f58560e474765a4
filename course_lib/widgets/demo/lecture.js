// A page of a lecture: keys that a presenter needs, and a switch between light and dark.
function lecture(links) {
  const root = document.documentElement;
  const dark = () => localStorage.getItem("course-theme") ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  const theme = (name) => {
    root.dataset.theme = name;
  };
  theme(dark());
  const actions = {
    n: () => links.next && (location.href = links.next),
    p: () => links.previous && (location.href = links.previous),
    PageDown: () => links.next && (location.href = links.next),
    PageUp: () => links.previous && (location.href = links.previous),
    Escape: () => !document.fullscreenElement && links.contents && (location.href = links.contents),
    c: () => links.contents && (location.href = links.contents),
    d: () => {
      const other = dark() === "dark" ? "light" : "dark";
      localStorage.setItem("course-theme", other);
      theme(other);
    },
  };
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
    button.addEventListener("click", () => actions[button.dataset.key]());
  }
}
