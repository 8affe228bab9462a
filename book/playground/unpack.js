/* Unpacks what record.py packed. */
"use strict";

/** Return the network's weights and sizes, and the samples: {pixels, inputs, label}. */
lazybook.unpacked = async ({ hidden, labels, weights, images }) => {
  const bytes = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt());
  const stream = new Blob([bytes(images)]).stream().pipeThrough(new DecompressionStream("deflate"));
  const pixels = new Uint8Array(await new Response(stream).arrayBuffer());
  const side = 28 * 28;
  const values = new Float32Array(bytes(weights).buffer);
  const first = (side + 1) * hidden;
  return {
    weights: [values.subarray(0, first), values.subarray(first)],
    sizes: [side, hidden, 10],
    samples: [...labels].map((label, number) => {
      const image = pixels.subarray(number * side, (number + 1) * side);
      const inputs = Float64Array.from(image, (value) => value / 255);
      return { pixels: image, inputs, label: Number(label) };
    }),
  };
};
