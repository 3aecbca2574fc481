// The example is to be copied: it names the server that shows it.
const origin = document.getElementById("origin");
if (origin) origin.textContent = location.origin;
