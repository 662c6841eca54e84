// What makes pages livelier. Nothing needs it: every page reads and every form sends without.
(() => {
  "use strict";

  // A button beside a text copies all of it.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    await navigator.clipboard.writeText(source.textContent.trim());
    const label = button.textContent;
    button.textContent = button.dataset.copied;
    setTimeout(() => { button.textContent = label; }, 1500);
  });

  // Tabs of the same thing in several languages: the choice holds for every one on the page.
  document.addEventListener("change", (event) => {
    const chosen = event.target.closest("[data-choose]");
    if (!chosen) return;
    for (const other of document.querySelectorAll(`[data-choose][value="${CSS.escape(chosen.value)}"]`)) other.checked = true;
  });

  // A list that sends itself when another entry is chosen.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });

  // A form that is sent for long: the part of the page that tells how far it is looks at it meanwhile.
  document.addEventListener("submit", (event) => {
    const part = document.getElementById(event.target.dataset.begins);
    if (part) htmx.trigger(part, "begun");
  });

  // A part of the page that is replaced by its successor shows why there is none.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status >= 400) event.detail.selectOverride = "unset";
  });

  // A letter's link carries its token behind "#", which no server sees.
  const token = document.querySelector("[data-from-fragment]");
  if (token && location.hash.length > 1) {
    token.value = location.hash.slice(1);
    history.replaceState(null, "", location.pathname);
  }

  // A file that is too large is told before it is sent.
  document.addEventListener("change", (event) => {
    const { mibMax, tooLarge } = event.target.dataset;
    if (!mibMax) return;
    const size = event.target.files[0]?.size ?? 0;
    event.target.setCustomValidity(size > mibMax * 1024 * 1024 ? tooLarge : "");
    event.target.reportValidity();
  });

  // What is asked for beside the page opens in a drawer; Escape, its button or a click beside it closes it.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.matches("dialog:not([open])")) event.target.showModal();
  });
  document.addEventListener("click", (event) => {
    const drawer = event.target.closest("dialog");
    if (drawer && (event.target === drawer || event.target.closest("[data-close]"))) drawer.close();
  });

  // A slash goes to the page's search or number box, as long as nobody is typing.
  document.addEventListener("keydown", (event) => {
    const box = document.querySelector("[data-slash]");
    if (event.key !== "/" || !box || event.target.closest("input, textarea, select")) return;
    event.preventDefault();
    box.focus();
  });
})();
