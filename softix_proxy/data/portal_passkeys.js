// Asks the browser for a passkey, and sends its answer as a form. It is the only script of the portal.
"use strict";

(() => {
  const form = document.querySelector("form[data-passkey]");
  if (!form) return;

  const problem = form.querySelector("[data-passkey-problem]");
  const decode = (text) =>
    Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  const encode = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replaceAll("+", "-")
      .replaceAll("/", "_")
      .replace(/=+$/, "");
  const decodeIds = (credentials) => (credentials || []).map((each) => ({ ...each, id: decode(each.id) }));

  const create = async (options) => {
    const made = await navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: decode(options.challenge),
        user: { ...options.user, id: decode(options.user.id) },
        excludeCredentials: decodeIds(options.excludeCredentials),
      },
    });
    return { made, answer: { attestationObject: encode(made.response.attestationObject) } };
  };

  const get = async (options) => {
    const made = await navigator.credentials.get({
      publicKey: {
        ...options,
        challenge: decode(options.challenge),
        allowCredentials: decodeIds(options.allowCredentials),
      },
    });
    const { authenticatorData, signature, userHandle } = made.response;
    const answer = { authenticatorData: encode(authenticatorData), signature: encode(signature) };
    if (userHandle) answer.userHandle = encode(userHandle);
    return { made, answer };
  };

  const ask = async () => {
    problem.hidden = true;
    try {
      const options = JSON.parse(form.dataset.options);
      const { made, answer } = await (form.dataset.passkey === "create" ? create(options) : get(options));
      form.elements.answer.value = JSON.stringify({
        id: made.id,
        rawId: encode(made.rawId),
        type: made.type,
        response: { clientDataJSON: encode(made.response.clientDataJSON), ...answer },
      });
      form.submit();
    } catch {
      problem.hidden = false; // the person said no, waited too long, or has no passkey here
    }
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  if (form.dataset.passkey === "get") ask(); // the person asked for it on the page before
})();
