// The page that says how to trust the appliance: what it presents, told in words.

const put = (id, text) => { document.getElementById(id).textContent = text; };
const show = (id) => { document.getElementById(id).hidden = false; };

try {
  const answer = await fetch("/trust/facts");
  if (!answer.ok) throw new Error(`the appliance answered ${answer.status}`);
  const { authority, certificate } = await answer.json();
  if (authority) {
    put("name", authority.name);
    put("fingerprint", authority.fingerprint);
    put("expires", new Date(authority.expires_at).toLocaleDateString());
    show("own");
  } else {
    put("presented", certificate.fingerprint);
    show("foreign");
  }
} catch (error) {
  put("trouble", `The certificate could not be shown: ${error.message}. Load the page again.`);
  show("trouble");
}
