// The page that says how to trust the appliance: what it presents, told in words.

const put = (id, text) => { document.getElementById(id).textContent = text; };
// A line may end after a colon, never within a pair.
const pairs = (id, fingerprint) => {
  const parts = fingerprint.match(/[^:]+:?/g) ?? [];
  const element = document.getElementById(id);
  element.replaceChildren(...parts.flatMap((part) => [part, document.createElement("wbr")]));
};
const show = (id) => { document.getElementById(id).hidden = false; };

try {
  const answer = await fetch("/trust/facts");
  if (!answer.ok) throw new Error(`the appliance answered ${answer.status}`);
  const { authority, certificate } = await answer.json();
  if (authority) {
    put("name", authority.name);
    pairs("fingerprint", authority.fingerprint);
    put("expires", new Date(authority.expires_at).toLocaleDateString());
    show("own");
  } else if (!certificate) {
    show("proxied");
  } else {
    pairs("presented", certificate.fingerprint);
    show("foreign");
  }
} catch (error) {
  put("trouble", `The certificate could not be shown: ${error.message}. Load the page again.`);
  show("trouble");
}
