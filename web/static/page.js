// The example is to be copied: it names the server that shows it.
const place = document.getElementById("origin");
if (place) place.textContent = location.origin;
