// The policy of the page, over everything that was done before.
import { must, run, sins } from "../kit.mjs";

export default {
  async "an injected inline script does not run"(page) {
    const before = sins.length;
    const ran = await page.evaluate(() => {
      const script = document.createElement("script");
      script.textContent = "window.injected = true";
      document.body.append(script);
      return window.injected === true;
    });
    must(!ran, "the policy let it run");
    await page.waitForTimeout(200);
    must(sins.length > before, "the violation was not reported, so the watch proves nothing");
    sins.length = before;
  },
  async "no console error, no violation of the policy, no request elsewhere"() {
    must(sins.length === 0, sins.slice(0, 5).join(" | "));
  },
};

