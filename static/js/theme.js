// Before the first paint: the theme the visitor chose, else the system's.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem("emflow.theme");
  } catch {
    // Storage refused: the system's theme.
  }
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
})();
