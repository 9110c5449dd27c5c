// Words for readers who cannot see a figure or the words beside a slider. JupyterLab keeps the words of a figure
// (metadata "alt" of its output) to itself, and a slider has no name of its own.
(() => {
  const altOf = (panel, image) => {
    const cell = panel.content.widgets.find(one => one.node.contains(image));
    const outputs = cell?.model?.outputs;
    for (let place = 0; place < (outputs?.length ?? 0); place += 1) {
      const output = outputs.get(place);
      const png = output.data['image/png'];
      if (png && image.src.endsWith(String(png).trim())) return output.metadata['image/png']?.alt;
    }
    return undefined;
  };
  const describe = app => {
    for (const image of document.querySelectorAll('.jp-RenderedImage img:not([alt])')) {
      for (const panel of app.shell.widgets('main')) {
        if (panel.node.contains(image) && panel.content?.widgets) {
          const words = altOf(panel.content.widgets ? panel : panel.content, image);
          if (words) image.alt = words;
        }
      }
    }
    for (const slider of document.querySelectorAll('.widget-slider')) {
      const words = slider.querySelector('.widget-label')?.textContent;
      slider.querySelector('[role=slider]')?.setAttribute('aria-label', words);
      const written = slider.querySelector('.widget-readout');
      written?.setAttribute('role', 'textbox');
      written?.setAttribute('aria-label', `${words}, written`);
    }
  };
  const plugin = {
    id: 'rd-mas-accessible:plugin',
    description: 'Words for readers who cannot see figures and sliders.',
    autoStart: true,
    activate: app => {
      let asked = false;
      new MutationObserver(() => {
        if (asked) return;
        asked = true;
        setTimeout(() => { asked = false; describe(app); }, 200);
      }).observe(document.body, { childList: true, subtree: true });
    },
  };
  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB['rd-mas-accessible'] = {
    init: () => undefined,
    get: async () => () => ({ __esModule: true, default: plugin }),
  };
})();
