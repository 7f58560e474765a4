// What anywidget calls for each view of a widget.
function render({ model, el, options }) {
  const stage = new Stage(model, el, options);
  el.stage = stage.root.stage = stage; // for tests, and for the keys of a lecture page
  return () => stage.destroy();
}

export default { render };
