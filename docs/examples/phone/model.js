// The model as the page sees it: questions and answers, over messages to its thread.

export class Model {
  /** @param {function(?number)} onProgress Told the share of the model that is loaded, 0 to 1, or null if it can't be. */
  constructor(onProgress) {
    this.waiting = new Map();
    this.last = 0;
    this.worker = new Worker(new URL("model_worker.js", import.meta.url), {type: "module"});
    this.worker.onmessage = ({data}) => (data.id === undefined ? onProgress(data.progress) : this.settle(data));
    // A worker whose files are missing never answers.
    this.worker.onerror = error => {
      error.preventDefault();
      this.broken = {failure: "model", detail: error.message ?? ""};
      onProgress(null);
      for (const id of [...this.waiting.keys()]) this.settle({id, ...this.broken});
    };
  }

  /** The answer to a photo file: {answer, map, milliseconds} or {failure}. */
  photo(file) {
    return this.ask({kind: "photo", file});
  }

  /** The answer to a camera frame: {answer, box} or {failure}. The bitmap is handed over. */
  frame(bitmap, isFirst) {
    return this.ask({kind: "frame", bitmap, isFirst}, [bitmap]);
  }

  ask(message, handedOver = []) {
    const id = ++this.last;
    if (this.broken) return Promise.resolve(this.broken);
    return new Promise(resolve => {
      this.waiting.set(id, resolve);
      this.worker.postMessage({id, ...message}, handedOver);
    });
  }

  settle({id, ...reply}) {
    this.waiting.get(id)?.(reply);
    this.waiting.delete(id);
  }
}
