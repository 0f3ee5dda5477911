// Light or dark: by the system, or as the reader chose (theme.js puts the choice up before the first paint).

/** `changed()` after each change. */
export function theme(changed = () => {}) {
  const root = document.documentElement;
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try {
      localStorage.setItem("emflow.theme", root.dataset.theme);
    } catch {
      // Storage refused: the choice lasts as long as the page.
    }
    changed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}
