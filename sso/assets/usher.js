// What pages do beyond HTML: which criteria a password meets while it is typed,
// showing a password, and going to what was wrong. Without it everything works;
// the server decides.
"use strict";

// bare is a text as it is compared: without case and accents (BR-105).
function bare(text) {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

// tokens are the parts of a text that must not stand in a password.
function tokens(text) {
  return bare(text).split(/[^\p{L}\p{N}]+/u).filter(function (t) { return Array.from(t).length >= 3; });
}

function checks(input) {
  const names = (input.dataset.names || "").split("\n").flatMap(function (n) { return [bare(n).trim()].concat(tokens(n)); });
  const address = input.dataset.address || "";
  const parts = [bare(address), bare(address.split("@")[0])];
  const least = Number(input.dataset.min);
  const has = function (list, password) {
    return list.some(function (t) { return Array.from(t).length >= 3 && bare(password).includes(t); });
  };
  return {
    digit: function (p) { return /\p{Nd}/u.test(p); },
    upper: function (p) { return /\p{Lu}/u.test(p); },
    lower: function (p) { return /\p{Ll}/u.test(p); },
    special: function (p) { return /[\p{P}\p{S}]/u.test(p); },
    length: function (p) { const n = Array.from(p.normalize("NFC")).length; return n >= least && n <= 256; },
    name: function (p) { return p !== "" && !has(names, p); },
    address: function (p) { return p !== "" && !has(parts, p); },
  };
}

function watch(input) {
  const list = document.getElementById(input.dataset.checklist);
  const status = list.querySelector("[role=status]");
  const rules = checks(input);
  let telling;
  const look = function () {
    let left = 0;
    list.querySelectorAll("[data-criterion]").forEach(function (line) {
      if ("judged" in line.dataset) return;
      const met = rules[line.dataset.criterion](input.value);
      const word = line.querySelector("[data-met]");
      line.classList.remove("failed");
      line.classList.toggle("met", met);
      word.textContent = met ? word.dataset.met : word.dataset.unmet;
      if (!met) left++;
    });
    // Who listens is told after a pause, not at every key.
    clearTimeout(telling);
    telling = setTimeout(function () {
      status.textContent = left === 0 ? status.dataset.all : status.dataset.left.split("\n")[left - 1];
    }, 700);
  };
  input.addEventListener("input", look);
  if (input.value !== "") look();
}

function offerToShow(button) {
  const input = document.getElementById(button.getAttribute("aria-controls"));
  button.hidden = false;
  button.addEventListener("click", function () {
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    button.setAttribute("aria-label", shown ? button.dataset.hide : button.dataset.show);
  });
  // A password that is sent is a password again, so that no browser keeps it as text.
  input.form.addEventListener("submit", function () { input.type = "password"; });
}

document.querySelectorAll("[data-checklist]").forEach(watch);
document.querySelectorAll("button.show").forEach(offerToShow);
const faults = document.querySelector("section.faults");
if (faults) faults.focus();

// After htmx took a line off a list, who uses a keyboard stands at its heading.
document.addEventListener("htmx:afterSettle", function (e) {
  const title = e.target.querySelector("h2[tabindex]");
  if (title) title.focus();
});
