/* A race of rules with two weights: all of it, and what is known of it at each presentation. */
"use strict";

lazybook.PRESENTATIONS = 6000; // of a race

/**
 * Train two weights from `start` on `points` [{x, y, label}] in this order of presentation.
 *
 * Returns what happened, by presentation: the weights `w1`, `w2` and the `energy` before the first
 * and after each; whether the sample was `learned`; and for each point after how many presentations
 * it was remembered, Infinity if never.
 */
lazybook.track = (points, order, { start, gate, rate, threshold }) => {
  const length = lazybook.PRESENTATIONS;
  const weights = [Float64Array.from(start)];
  const network = new lazybook.Network({ weights, sizes: [2, 1], bias: false, gate, rate, threshold });
  const inputs = points.map(({ x, y }) => Float64Array.of(x, y));
  const track = {
    gate,
    w1: new Float64Array(length + 1).fill(start[0]),
    w2: new Float64Array(length + 1).fill(start[1]),
    energy: new Float64Array(length + 1),
    learned: new Uint8Array(length),
    rememberedAt: new Float64Array(points.length).fill(Infinity),
  };
  order.forEach((sample, time) => {
    track.learned[time] = network.present(inputs[sample], points[sample].label, sample);
    if (network.remembered.has(sample))
      track.rememberedAt[sample] = Math.min(track.rememberedAt[sample], time + 1);
    [track.w1[time + 1], track.w2[time + 1]] = network.weights[0];
    track.energy[time + 1] = network.energy;
  });
  return track;
};

/** Return loss and accuracy of two weights on all points. */
lazybook.judge = (points, w1, w2) => {
  let [loss, right] = [0, 0];
  points.forEach(({ x, y, label }) => {
    const output = w1 * x + w2 * y;
    loss += (output - (2 * label - 1)) ** 2 / points.length;
    right += (output > 0 ? 1 : 0) === label;
  });
  return { loss, accuracy: points.length ? right / points.length : 0 };
};

/**
 * Return the loss as a bowl: its lowest point, the loss there, and along two axes at a right angle
 * how steep it is, the first of them at `angle` (radians).
 */
lazybook.bowl = (points) => {
  const mean = (value) => points.reduce((sum, point) => sum + value(point), 0) / points.length;
  const flat = 1e-9; // keeps the bowl one if all points lie on a line
  const xx = mean(({ x }) => x * x) + flat;
  const yy = mean(({ y }) => y * y) + flat;
  const xy = mean(({ x, y }) => x * y);
  const tx = mean(({ x, label }) => x * (2 * label - 1));
  const ty = mean(({ y, label }) => y * (2 * label - 1));
  const lowest = [yy * tx - xy * ty, xx * ty - xy * tx].map((w) => w / (xx * yy - xy * xy));
  const angle = Math.atan2(2 * xy, xx - yy) / 2;
  const spread = Math.hypot((xx - yy) / 2, xy);
  const steep = [(xx + yy) / 2 + spread, Math.max((xx + yy) / 2 - spread, flat)];
  return { lowest, loss: lazybook.judge(points, ...lowest).loss, angle, steep };
};

/**
 * Return the terraces of the accuracy, a fan around the origin: [{from, to, share}], by their
 * angles in radians. A terrace ends where the weights are at a right angle to a point.
 */
lazybook.terraces = (points) => {
  const turn = 2 * Math.PI;
  const edges = points
    .filter(({ x, y }) => x || y)
    .flatMap(({ x, y }) => [1, -1].map((side) => Math.atan2(y, x) + (side * Math.PI) / 2))
    .map((angle) => ((angle % turn) + turn) % turn)
    .sort((a, b) => a - b);
  return edges.map((from, at) => {
    const to = at + 1 < edges.length ? edges[at + 1] : edges[0] + turn;
    const middle = (from + to) / 2;
    const share = lazybook.judge(points, Math.cos(middle), Math.sin(middle)).accuracy;
    return { from, to, share };
  });
};
