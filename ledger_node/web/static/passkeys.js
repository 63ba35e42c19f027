// Passkeys: made and asked for by the browser itself; here only what it gives is put into a form.
"use strict";

const form = document.querySelector("form[data-passkey]"), button = form.querySelector("button"), { passkey } = form.dataset;

button.addEventListener("click", async () => {
  if (!form.reportValidity()) return;
  button.disabled = true;
  document.getElementById("no-passkey").hidden = true;
  try {
    const options = JSON.parse(form.dataset.options);
    const given = passkey === "make"
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    form.elements.passkey.value = JSON.stringify(given.toJSON());
    form.submit();
  } catch (error) { // refused, too late, or none of this device: the browser has said so already
    document.getElementById("no-passkey").hidden = false;
    button.disabled = false;
  }
});
addEventListener("pageshow", () => { button.disabled = false; });
form.hidden = !globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON;
