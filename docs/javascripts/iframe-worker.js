// Search in a page that was opened as a file. Browsers start no worker from file://, so its script runs in a hidden frame
// instead, which speaks to the page as a worker does. Served over HTTP, nothing here happens.
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(address) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      const started = new Promise((resolve, reject) => {
        const start = () => {
          const inside = frame.contentWindow;
          inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
          const script = inside.document.createElement("script");
          script.src = new URL(address, location.href);
          script.onload = () => resolve(inside);
          script.onerror = () => reject(new Error("the search's script is missing"));
          inside.document.head.append(script);
        };
        const appended = () => { document.body.append(frame); start(); };
        if (document.body) appended(); else document.addEventListener("DOMContentLoaded", appended);
      });
      this.postMessage = (data) =>
        started.then((inside) => inside.dispatchEvent(new MessageEvent("message", { data })));
      this.terminate = () => frame.remove();
    }
  };
}
