// Runs before the first paint, so that a chosen theme does not flash.
try {
  var theme = localStorage.getItem("rouse.theme")
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme
} catch (error) {
  console.warn("The theme could not be read; the system's is used.", error)
}
