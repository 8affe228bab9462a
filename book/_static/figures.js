// Figures that can be touched. A figure's drawing is in the page, and so are the numbers that are
// drawn (see lazybook.book.series): hover tells a value, a click on a legend's entry hides what it
// stands for, and a bar below reads values by the keyboard, gives them as CSV, and says what makes
// the figure. Without scripts the figure is what it always was.
"use strict";

(() => {
  const REACH = 40; // points around the pointer in which a value is told
  const SVG = "http://www.w3.org/2000/svg";

  /** A number in as few digits as tell it. */
  function spelled(value) {
    if (value === null) return "–";
    const size = Math.abs(value);
    if (size !== 0 && (size >= 1e6 || size < 1e-3)) {
      return value.toExponential(2).replace("e+", "e").replace(/-/g, "−");
    }
    const digits = { maximumSignificantDigits: size >= 1000 ? Math.ceil(Math.log10(size + 1)) : 4 };
    return value.toLocaleString("en", digits).replace("-", "−");
  }

  /** A value of an axis: the word of its tick if it has words, else the number. */
  function told(axes, along, value) {
    const words = axes.words[along];
    if (!words.length || value === null) return spelled(value);
    const nearest = (a, b) => (Math.abs(a[0] - value) <= Math.abs(b[0] - value) ? a : b);
    return words.reduce(nearest)[1];
  }

  /** What is told of one point of a series, in one line. */
  function sentence(axes, series, index) {
    const parts = ["x", "y"].map((along) => {
      let text = told(axes, along, series[along][index]);
      if (series.of === along && series.low[index] !== null) {
        text += ` (${spelled(series.low[index])} to ${spelled(series.high[index])})`;
      }
      const label = axes[along].replace(/\s+/g, " ");
      return label && !axes.words[along].length ? `${label}: ${text}` : text;
    });
    return [series.name, ...parts].filter(Boolean).join(" · ");
  }

  /** All values of a figure as CSV: a row for each point. */
  function csv(panels) {
    const quoted = (text) => `"${String(text).replace(/"/g, '""').replace(/\s+/g, " ")}"`;
    const rows = [["panel", "series", "x axis", "y axis", "x", "y", "low", "high", "interval of"]];
    panels.forEach((panel, number) => {
      panel.series.forEach((series) => {
        const axes = panel.axes[series.axes];
        series.x.forEach((x, i) => {
          const ends = [series.low?.[i] ?? "", series.high?.[i] ?? "", series.of ?? ""];
          const words = [series.name, axes.x, axes.y].map(quoted);
          rows.push(["abcdef"[number], ...words, x ?? "", series.y[i] ?? "", ...ends]);
        });
      });
    });
    return rows.map((row) => row.join(",")).join("\r\n") + "\r\n";
  }

  class Panel {
    constructor(figure, number, numbers) {
      Object.assign(this, numbers);
      this.begin = `${figure.id}-${number}-`;
      this.svg = figure.querySelectorAll(".panel > svg")[number];
      this.mark = document.createElementNS(SVG, "circle");
      this.mark.setAttribute("class", "mark");
      this.mark.setAttribute("r", 5);
      this.mark.setAttribute("visibility", "hidden");
      this.svg.append(this.mark);
      this.hidden = new Set();
      this.keys.forEach((key) => this.makeClickable(key));
    }

    element(name) {
      return document.getElementById(this.begin + name);
    }

    makeClickable(key) {
      const parts = ["", "-text"].map((end) => this.element(key.id + end)).filter(Boolean);
      const hide = () => {
        const away = !key.series.every((id) => this.hidden.has(id));
        key.series.forEach((id) => this.show(id, !away));
      };
      parts.forEach((part) => {
        part.classList.add("key");
        part.addEventListener("click", hide);
      });
    }

    /** Show a series, or hide it; an entry of the legend of which nothing is seen is pale. */
    show(id, seen) {
      this.hidden[seen ? "delete" : "add"](id);
      const series = this.series.find((one) => one.id === id);
      for (let part = 0; part < series.parts; part++) {
        const element = this.element(`${id}-${part}`);
        if (element) element.style.display = seen ? "" : "none";
      }
      this.keys.forEach((key) => {
        const pale = key.series.every((one) => this.hidden.has(one));
        ["", "-text"].forEach((end) => this.element(key.id + end)?.classList.toggle("off", pale));
      });
    }

    /** The point that is nearest to a place in the drawing, as [series, index], or undefined. */
    nearest(x, y) {
      let found, least = REACH ** 2;
      this.series.forEach((series) => {
        if (this.hidden.has(series.id)) return;
        series.px.forEach((px, index) => {
          const py = series.py[index];
          if (px === null || py === null) return;
          const distance = (px - x) ** 2 + (py - y) ** 2;
          if (distance < least) [found, least] = [[series, index], distance];
        });
      });
      return found;
    }

    /** Mark a point and return what is told of it; without one, nothing is marked. */
    point(series, index) {
      this.mark.setAttribute("visibility", series ? "visible" : "hidden");
      if (!series) return "";
      this.mark.setAttribute("cx", series.px[index]);
      this.mark.setAttribute("cy", series.py[index]);
      return sentence(this.axes[series.axes], series, index);
    }
  }

  /** Tell the value under the pointer, beside it. */
  function hover(figure, panel, tip) {
    panel.svg.addEventListener("pointermove", (event) => {
      const at = new DOMPoint(event.clientX, event.clientY);
      const { x, y } = at.matrixTransform(panel.svg.getScreenCTM().inverse());
      const said = panel.point(...(panel.nearest(x, y) ?? []));
      tip.hidden = !said;
      if (!said) return;
      tip.textContent = said;
      const box = figure.getBoundingClientRect();
      const left = Math.min(event.clientX - box.left + 14, box.width - tip.offsetWidth);
      tip.style.left = `${Math.max(0, left)}px`;
      tip.style.top = `${event.clientY - box.top + 18}px`;
    });
    panel.svg.addEventListener("pointerleave", () => {
      tip.hidden = true;
      panel.point();
    });
  }

  function button(text, action) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", action);
    return made;
  }

  /** A button that reads the values by the arrow keys: points left and right, series up and down. */
  function reader(panels, said) {
    const all = panels.flatMap((panel) => panel.series.map((series) => [panel, series]));
    let place = 0, index = 0;
    const tell = () => {
      panels.forEach((panel) => panel.point());
      const [panel, series] = all[place];
      index = Math.max(0, Math.min(index, series.x.length - 1));
      said.textContent = panel.point(series, index);
    };
    const made = button("Read values", tell);
    made.title = "then the arrow keys: left and right along a line, up and down between lines";
    const moves = {
      ArrowRight: () => index++,
      ArrowLeft: () => index--,
      ArrowDown: () => (place = (place + 1) % all.length),
      ArrowUp: () => (place = (place + all.length - 1) % all.length),
    };
    made.addEventListener("keydown", (event) => {
      if (!(event.key in moves)) return;
      event.preventDefault();
      moves[event.key]();
      tell();
    });
    made.addEventListener("blur", () => {
      panels.forEach((panel) => panel.point());
      said.textContent = "";
    });
    return made;
  }

  function save(text, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/csv" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href));
  }

  /** The bar below a figure. */
  function bar(figure, panels) {
    const made = document.createElement("div");
    const said = document.createElement("output");
    made.className = "figure-bar";
    if (panels.some((panel) => panel.series.length)) {
      made.append(reader(panels, said));
      made.append(button("CSV", () => save(csv(panels), `${figure.id}.csv`)));
    }
    const notebook = figure.querySelector("figcaption > a[download]");
    if (notebook) made.append(notebook);
    const name = figure.dataset.notebook.split("/").pop();
    const profile = document.querySelector("table.provenance[data-profile]")?.dataset.profile;
    const words = ["make book", profile && `PROFILE=${profile}`, `ONLY=${name}`];
    made.append(commandButton(words.filter(Boolean).join(" "), said), said);
    return made;
  }

  function touch(figure) {
    const numbers = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
    const panels = numbers.map((one, number) => new Panel(figure, number, one));
    const tip = document.createElement("div");
    tip.className = "figure-tip";
    tip.hidden = true;
    figure.append(bar(figure, panels), tip);
    panels.forEach((panel) => hover(figure, panel, tip));
  }

  document.addEventListener("DOMContentLoaded", () => {
    document
      .querySelectorAll('figure.lazybook-figure:has(script[type="application/json"])')
      .forEach(touch);
  });
})();
