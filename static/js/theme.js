// Before the first paint: the theme the visitor chose, else the system's; and whether the page begins with its first words as
// they stand in it, which it does in English and where no run is asked for by the address.
(() => {
  const root = document.documentElement;
  let chosen = null;
  let language = null;
  try {
    chosen = localStorage.getItem("emflow.theme");
    language = localStorage.getItem("emflow.language");
  } catch {
    // Storage refused: the system's theme.
  }
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  if (location.hash.length > 1 || !/^"?en/.test(language ?? navigator.language)) root.dataset.first = "later";
})();
