// Load beside the checks: the product's own generator, run after run, each of which must lose nothing.
import { spawn } from "node:child_process";
import { must, url } from "../kit.mjs";

const RUN_S = 4;

export class Load {
  constructor({ binary, authority, visitors = 4 }) {
    Object.assign(this, { binary, authority, visitors, over: false, runs: 0, results: 0, fault: null });
    this.ended = this.go();
  }

  async go() {
    while (!this.over && !this.fault) {
      const told = await this.once();
      this.runs += 1;
      this.results += told?.results ?? 0;
    }
  }

  once() {
    const command = spawn(this.binary, ["bench", "--url", url, "--ca", this.authority, "--visitors", String(this.visitors), "--seconds", String(RUN_S), "--json"], { stdio: ["ignore", "pipe", "pipe"] });
    const said = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"]) command[name].on("data", (data) => { said[name] += data; });
    return new Promise((done) => {
      command.on("close", (code) => {
        if (code !== 0) this.fault = `the load lost something, or could not run (${code}): ${said.stdout}${said.stderr}`;
        done(code === 0 ? JSON.parse(said.stdout) : null);
      });
    });
  }

  /** Lets the run under way come to its end, and answers how many results there were. */
  async stop() {
    this.over = true;
    await this.ended;
    must(!this.fault, this.fault);
    must(this.results > 0, "there was no load");
    return this.results;
  }
}
