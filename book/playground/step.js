/* One step of learning: the step of src/lazybook/engines/reference.py, in double precision. A
 * browser test holds it to that.
 *
 * These files are classic scripts that share the object `lazybook`, not ES modules: a browser
 * refuses to load modules of a page that was opened from a file, and the book has to work there.
 */
"use strict";

window.lazybook = window.lazybook || {};

/** Which samples are learned: see lazybook.gates. */
lazybook.gates = {
  "every-sample": { name: "backprop", learns: () => true, remembers: false },
  "memorized-mistakes": {
    name: "lazy",
    learns: (mistake, remembered) => mistake || remembered,
    remembers: true,
  },
  mistakes: { name: "pure lazy", learns: (mistake) => mistake, remembers: false },
};

/**
 * A network in training, one sample at a time, on the squared error (mean over the outputs).
 *
 * weights: one Float64Array a layer, [from, to] by rows, with a last row for the bias if there is
 *   one; they are copied.
 * sizes: numbers of units, from the inputs up, biases not counted.
 * gate: a name of lazybook.gates.
 * rate: the learning rate.
 * threshold: of synaptic caching, with neither decay nor cost; 0: every change is permanent at once.
 */
lazybook.Network = class {
  constructor({ weights, sizes, bias, leak = 0, gate, rate, threshold = 0 }) {
    this.sizes = sizes;
    this.bias = bias;
    this.leak = leak;
    this.gate = lazybook.gates[gate];
    this.rate = rate;
    this.threshold = threshold;
    this.weights = weights.map((layer) => Float64Array.from(layer)); // transient part included
    this.transient = weights.map((layer) => new Float64Array(layer.length));
    this.entering = sizes.slice(0, -1).map((size) => new Float64Array(size + (bias ? 1 : 0)));
    if (bias) this.entering.forEach((values) => (values[values.length - 1] = 1));
    this.errors = sizes.slice(1).map((size) => new Float64Array(size));
    this.outputs = new Float64Array(sizes[sizes.length - 1]);
    this.remembered = new Set(); // of samples that were misclassified, if the gate remembers
    this.updates = 0; // samples learned
    this.energy = 0; // M1, the sum of the sizes of all permanent changes
    this.mistake = false; // whether the last sample was misclassified
  }

  /** Compute the outputs for some inputs, and return the class that they stand for. */
  classify(inputs) {
    this.entering[0].set(inputs);
    this.weights.forEach((layer, depth) => {
      const entering = this.entering[depth];
      const last = depth === this.weights.length - 1;
      const leaving = last ? this.outputs : this.entering[depth + 1];
      const width = this.sizes[depth + 1];
      leaving.fill(0, 0, width);
      for (let from = 0, at = 0; from < entering.length; from++, at += width) {
        const activity = entering[from];
        if (activity === 0) continue;
        for (let to = 0; to < width; to++) leaving[to] += activity * layer[at + to];
      }
      if (last) return;
      for (let to = 0; to < width; to++) if (leaving[to] < 0) leaving[to] *= this.leak;
    });
    if (this.outputs.length === 1) return this.outputs[0] > 0 ? 1 : 0;
    return this.outputs.indexOf(Math.max(...this.outputs));
  }

  /** Present a sample, number `sample`, and learn it or not; return whether it was learned. */
  present(inputs, label, sample) {
    // Which samples are learned?
    this.mistake = this.classify(inputs) !== label;
    const learned = this.gate.learns(this.mistake, this.remembered.has(sample));
    if (this.mistake && this.gate.remembers) this.remembered.add(sample);
    if (!learned) return false;

    // When does a change become permanent, and what does it cost?
    this.backward(label);
    this.weights.forEach((layer, depth) => {
      const [entering, errors] = [this.entering[depth], this.errors[depth]];
      const transient = this.transient[depth];
      for (let from = 0, at = 0; from < entering.length; from++, at += errors.length) {
        const activity = entering[from];
        if (activity === 0) continue;
        for (let to = 0; to < errors.length; to++) {
          const change = -this.rate * activity * errors[to];
          layer[at + to] += change;
          const grown = transient[at + to] + change;
          const permanent = Math.abs(grown) >= this.threshold;
          if (permanent) this.energy += Math.abs(grown);
          transient[at + to] = permanent ? 0 : grown;
        }
      }
    });
    this.updates++;
    return true;
  }

  /** Compute the gradient of the loss with respect to what each layer of synapses yields. */
  backward(label) {
    const top = this.errors.length - 1;
    const several = this.outputs.length > 1;
    this.outputs.forEach((output, unit) => {
      const target = several ? Number(unit === label) : 2 * label - 1;
      this.errors[top][unit] = (output - target) * (2 / this.outputs.length);
    });
    for (let depth = top; depth > 0; depth--) {
      const [layer, above] = [this.weights[depth], this.errors[depth]];
      this.errors[depth - 1].forEach((_, unit, below) => {
        let error = 0;
        for (let to = 0; to < above.length; to++) error += layer[unit * above.length + to] * above[to];
        below[unit] = error * (this.entering[depth][unit] > 0 ? 1 : this.leak);
      });
    }
  }
};

/** Return a function that draws whole numbers below its argument, the same for the same seed. */
lazybook.generator = (seed) => {
  let state = seed >>> 0;
  return (below) => {
    // mulberry32, by Tommy Ettinger, in the public domain
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
};

/** Return the order of so many presentations: each pass over the samples in an order of its own. */
lazybook.order = (samples, presentations, seed) => {
  const draw = lazybook.generator(seed);
  const order = [];
  while (samples && order.length < presentations) {
    const pass = Array.from({ length: samples }, (_, sample) => sample);
    for (let left = samples - 1; left > 0; left--) {
      const other = draw(left + 1);
      [pass[left], pass[other]] = [pass[other], pass[left]];
    }
    order.push(...pass);
  }
  return order.slice(0, presentations);
};
