// Every page of the administration, and where it stands in the navigation.

import { overview } from "./pages/overview.js";
import { alerts } from "./pages/alerts.js";
import { events } from "./pages/events.js";
import { sessions } from "./pages/sessions.js";
import { connections } from "./pages/connections.js";
import { messages } from "./pages/messages.js";
import { breakers } from "./pages/breakers.js";
import { visitors } from "./pages/visitors.js";
import { business } from "./pages/business.js";
import { examples } from "./pages/examples.js";
import { appearance } from "./pages/appearance.js";
import { settings } from "./pages/settings.js";
import { certificates } from "./pages/certificates.js";
import { backups } from "./pages/backups.js";
import { audit } from "./pages/audit.js";
import { logs } from "./pages/logs.js";
import { access } from "./pages/access.js";

/** `view(context)` answers the page's element. */
export const PAGES = {
  overview: { title: "Overview", view: overview },
  alerts: { title: "Alerts", view: alerts },
  events: { title: "Events", view: events },
  sessions: { title: "Sessions", view: sessions },
  connections: { title: "Connections", view: connections },
  messages: { title: "Messages", view: messages },
  breakers: { title: "Breakers", view: breakers },
  visitors: { title: "Visitors", view: visitors },
  business: { title: "Business", view: business },
  examples: { title: "Examples", view: examples },
  appearance: { title: "Appearance", view: appearance },
  settings: { title: "Settings", view: settings },
  certificates: { title: "Certificates", view: certificates },
  backups: { title: "Backups", view: backups },
  audit: { title: "Audit", view: audit },
  logs: { title: "Logs", view: logs },
  access: { title: "Access", view: access },
};

export const GROUPS = [
  ["Now", ["overview", "alerts", "events", "sessions", "connections", "messages", "breakers"]],
  ["People", ["visitors", "business"]],
  ["What visitors see", ["examples", "appearance"]],
  ["The appliance", ["settings", "certificates", "backups", "audit", "logs", "access"]],
];

/** What else the appliance serves. */
export const ELSEWHERE = [["Demo page", "/"], ["Presenter", "/present"], ["The API", "/docs"]];
