// Commands that are copied by a click. Without scripts they are code as any other.
"use strict";

/** A button with a command, and what is said of it: that it was copied. */
function commandButton(command, said) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "command";
  made.title = "click to copy";
  made.textContent = command;
  made.addEventListener("click", async () => {
    if (navigator.clipboard) {
      await navigator.clipboard.writeText(command);
      said.textContent = "copied";
    } else {
      getSelection().selectAllChildren(made); // where pages may not copy, readers can
    }
  });
  return made;
}

document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("code.command").forEach((code) => {
    const said = document.createElement("output");
    code.after(said);
    code.replaceWith(commandButton(code.textContent, said));
  });
});
