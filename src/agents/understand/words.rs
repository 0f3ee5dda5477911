//! The table of words, first half: units, counted things, money. English first, then German, French, Spanish, Russian,
//! Chinese and Japanese, as far as visitors state numbers with them.

use super::lexicon::*;
use super::words_around::{GLUE, NUMBERS, SHARES, TIMES};

/// All tables; the first row that names a form wins.
pub(super) const WORDS: &[&[Row]] = &[UNITS, COUNTS, MONEY_WORDS, TIMES, SHARES, GLUE, NUMBERS];

/// Units of time and periods.
const UNITS: &[Row] = &[
    (
        "ms",
        TIME,
        0.001,
        "ms msec msecs millisecond* millis millisekunde* milliseconde* milisegundo* мс миллисекунд* 毫秒 ミリ秒",
    ),
    (
        "second",
        TIME | PERIOD,
        1.0,
        "s sec secs second seconds sekunde sekunden sek seconde secondes segundo segundos secondo secondi seg с сек секунд* 秒 秒钟 秒間",
    ),
    (
        "minute",
        TIME | PERIOD,
        60.0,
        "min mins minute minutes minuten minuto minutos minuti мин минут* 分钟 分間 分",
    ),
    (
        "hour",
        TIME | PERIOD,
        3600.0,
        "h hr hrs hour hours std stunde stunden heure heures hora horas ora ore ч час часа часов 小时 時間",
    ),
    (
        "day",
        TIME | PERIOD,
        86_400.0,
        "d day days night tag tage tagen tags jour jours día días dia dias giorno giorni день дня дней сутки 天 日",
    ),
    (
        "workday",
        TIME | PERIOD,
        86_400.0,
        "workday workdays weekday weekdays werktag werktage arbeitstag arbeitstage 工作日 営業日",
    ),
    (
        "week",
        TIME | PERIOD,
        604_800.0,
        "w wk week weeks woche wochen semaine semaines semana semanas settimana settimane неделя неделю недели недель 周 星期 週間 週",
    ),
    (
        "month",
        TIME | PERIOD,
        2_629_800.0,
        "mo mos mth month months monat monate monats monaten mois mes meses mese mesi mês мес месяц* 月 个月 か月 ヶ月 ヵ月",
    ),
    (
        "quarter",
        TIME | PERIOD,
        7_889_400.0,
        "quarter quarters qtr quartal quartale trimestre trimestres trimestri квартал* 季度 四半期",
    ),
    (
        "year",
        TIME | PERIOD,
        31_557_600.0,
        "y yr yrs year years annum jahr jahre jahren ans année années año años anno anni ano anos год года году лет 年",
    ),
    ("second", ADVERB, 0.0, "sekündlich 每秒 毎秒 每秒钟"),
    ("minute", ADVERB, 0.0, "minütlich 每分钟 毎分 一分钟"),
    ("hour", ADVERB, 0.0, "hourly stündlich horaire 每小时 毎時"),
    (
        "day",
        ADVERB,
        0.0,
        "daily täglich tägliche täglichen quotidien quotidiens quotidiennes diario diarios diarias diariamente giornaliero giornaliere quotidiane ежедневно 每天 每日 毎日 一天 一日",
    ),
    (
        "week",
        ADVERB,
        0.0,
        "weekly wöchentlich hebdomadaire* semanal* еженедельно 每周 毎週",
    ),
    (
        "month",
        ADVERB,
        0.0,
        "monthly monatlich monatliche monatlichen mensuel* mensual* mensil* mensal* ежемесячно 每月 先月 上个月 上月 每个月 毎月 月間",
    ),
    (
        "quarter",
        ADVERB,
        0.0,
        "quarterly vierteljährlich trimestriel* trimestral* 每季度",
    ),
    (
        "year",
        ADVERB,
        0.0,
        "yearly annual annually jährlich annuel* anual* ежегодно 每年 毎年 年間",
    ),
    ("month", ADVERB, 0.0, "p.m."),
    ("x", 0, 1.0, "x times fold fois veces mal раз 倍"),
    (
        "percent",
        0,
        0.01,
        "percent percents pct prozent pourcent pourcents porciento процент*",
    ),
    (
        "point",
        QUALITY,
        1.0,
        "point points pts punkt punkte puntos pp",
    ),
    ("gb", 0, 1.0, "gb gib gigabyte gigabytes go vram"),
    ("watt", 0, 1.0, "w watt watts"),
    ("kwh", 0, 1.0, "kwh"),
    ("field", 0, 1.0, "field fields felder champs campos"),
    ("page", 0, 1.0, "page pages seiten páginas"),
    ("elo", QUALITY, 1.0, "elo"),
];

/// What is counted.
const COUNTS: &[Row] = &[
    (
        "request",
        REQUEST,
        1.0,
        "request requests req reqs rq call calls query queries inference inferences invocation* generation generations task tasks anfrage anfragen aufruf aufrufe calls abfragen requête requêtes requete requetes appel appels solicitud solicitudes petición peticiones llamada llamadas consulta consultas richiesta richieste chiamata chiamate chiamata solicitações requisição requisições chamada chamadas запрос* вызов* 请求 次请求 次调用 调用 次 リクエスト 件 回 コール",
    ),
    (
        "question",
        REQUEST | INPUT,
        1.0,
        "question questions frage fragen preguntas pregunta domanda domande perguntas вопрос* 问题 提问 質問",
    ),
    ("prompt", REQUEST | INPUT, 1.0, "prompt prompts"),
    (
        "chat",
        REQUEST,
        1.0,
        "chat chats dialogue dialogues dialog dialogs диалог* 聊天 チャット",
    ),
    (
        "document",
        REQUEST,
        1.0,
        "document documents doc docs dokument dokumente documento documentos documenti документ* article articles contract contracts verträge contrats report reports file files invoice invoices rechnungen factures facturas email emails e-mail e-mails mail mails courriel* correos pdf pdfs image images photo photos 文档 文件 邮件 ドキュメント メール",
    ),
    (
        "ticket",
        REQUEST,
        1.0,
        "ticket tickets case cases message messages nachricht nachrichten mensaje mensajes messaggio messaggi mensagem mensagens сообщени* обращени* item items job jobs record records event events transaction transactions review reviews comment comments post posts classification classifications transcript transcripts listing listings interaction interactions claim claims order orders lookup lookups suggestion suggestions moderation moderations extraction extractions row rows snippet snippets submission submissions application applications resume resumes 消息 条消息 条 チケット 工单",
    ),
    (
        "completion",
        REQUEST | OUTPUT,
        1.0,
        "completion completions summary summaries summarisations summarizations translation translations description descriptions draft drafts",
    ),
    (
        "conversation",
        SESSION | REQUEST,
        1.0,
        "conversation conversations gespräch gespräche unterhaltungen conversaciones conversación conversazione conversazioni conversas разговор* 对话 会話",
    ),
    (
        "session",
        SESSION,
        1.0,
        "session sessions visit visits sitzung sitzungen sesión sesiones сесси* 会话 セッション",
    ),
    (
        "turn",
        TURN,
        1.0,
        "turn turns exchange exchanges round rounds runden",
    ),
    (
        "user",
        USER,
        1.0,
        "user users customer customers developer developers dev devs engineer engineers employee employees seat seats subscriber subscribers visitor visitors people person persons client clients student students agent-seats member members nutzer nutzern benutzer anwender kunden mitarbeiter utilisateur utilisateurs usuario usuarios clientes utente utenti clienti usuários utilizadores пользовател* клиент* сотрудник* 用户 名用户 个用户 ユーザー 人 dau mau wau lawyer lawyers doctor doctors analyst analysts patients patient teacher teachers reps",
    ),
    (
        "tenant",
        TENANT,
        1.0,
        "tenant tenants organisation organisations organization organizations workspace workspaces mandanten",
    ),
    (
        "token",
        TOKEN,
        1.0,
        "token tokens tok toks tkn jeton jetons токен* 令牌 个token トークン",
    ),
    (
        "input",
        INPUT,
        1.0,
        "input inputs eingabe* eingang entrée entrées entrada entradas ingresso вход* ввод* prompt-tokens 输入 入力 inbound incoming",
    ),
    (
        "user text",
        INPUT | PART,
        1.0,
        "text body content contents transcript-text history historie query-text",
    ),
    (
        "output",
        OUTPUT,
        1.0,
        "output outputs answer answers reply replies response responses completion-tokens returned returns return return-tokens generated generates outbound outgoing out ausgabe* ausgang antwort antworten sortie sorties réponse réponses salida salidas respuesta respuestas uscita risposta risposte saída saídas resposta respostas выход* вывод* ответ* 输出 回答 出力 応答 回复 答案 raus writes produces gets",
    ),
    (
        "prefix",
        PREFIX,
        1.0,
        "prefix preamble system systemprompt system-prompt system-prompts systemprompts knowledge schema tool-definitions few-shot boilerplate 系统提示 システムプロンプト",
    ),
    ("fixed", PREFIX, 1.0, "fixed stable static shared constant"),
    (
        "retrieved",
        INPUT | PART,
        1.0,
        "retrieved retrieval-context passages passage chunk chunks snippets-text instructions instruction instructional",
    ),
    (
        "context",
        INPUT,
        1.0,
        "context kontext contexte contexto контекст* 上下文 コンテキスト",
    ),
    ("window", 0, 1.0, "window fenster"),
    (
        "gpu",
        GPU,
        1.0,
        "gpu gpus card cards grafikkarte* accelerator accelerators",
    ),
    (
        "step",
        STEP,
        1.0,
        "step steps stage stages schritt schritte étapes pasos 步骤 步 ステップ",
    ),
    ("slot", SLOT, 1.0, "slot slots"),
    ("worker", SLOT, 1.0, "worker workers thread threads"),
    (
        "replica",
        REPLICA,
        1.0,
        "replica replicas instance instances pod pods node nodes",
    ),
    (
        "draw",
        0,
        1.0,
        "draw draws simulation simulations iterations iteration trials trial samples runs scenarios",
    ),
    (
        "model",
        0,
        1.0,
        "model models modell modelle modèle modèles modelo modelos модел* 模型 モデル",
    ),
    (
        "parameter",
        0,
        1.0,
        "param params parameter parameters parametern",
    ),
];

/// Money: what it is for.
const MONEY_WORDS: &[Row] = &[
    (
        "USD",
        MONEY,
        1.0,
        "usd us$ dollar dollars dólares bucks доллар* 美元 ドル",
    ),
    ("EUR", MONEY, 1.0, "eur euro euros евро 欧元 ユーロ"),
    ("GBP", MONEY, 1.0, "gbp pound pounds quid"),
    ("CHF", MONEY, 1.0, "chf franken"),
    ("RUB", MONEY, 1.0, "rub руб рубл*"),
    ("CNY", MONEY, 1.0, "cny rmb yuan 元 人民币"),
    ("JPY", MONEY, 1.0, "jpy yen 円"),
    ("INR", MONEY, 1.0, "inr rupees"),
    ("cent", MONEY, 0.01, "cent cents ¢"),
    (
        "pay",
        PAY,
        1.0,
        "pay pays paying paid spend spends spending spent bill bills billed invoice-total burn burns cost costs costing charged charges expense expenses outlay zahlen zahle zahlt bezahlen ausgaben kosten kostet rechnung payons paie payer dépensons dépense coûte coûtent facture pagamos pago pagar gastamos gasto cuesta factura paghiamo pago spendiamo costa costano bolletta fattura pagamos gastamos custa fatura платим плачу тратим расход* счёт счет стоит 支付 花费 费用 付费 支払 費用 コスト",
    ),
    (
        "budget",
        BUDGET,
        1.0,
        "budget budgets presupuesto orçamento бюджет* 预算 予算 ceiling afford allowance",
    ),
    (
        "save",
        SAVE,
        1.0,
        "save saves saving savings saved spart sparen einsparen economiser économiser économie* ahorra* ahorro risparmi* economizar эконом* 节省 节约 削減 reduce reduces reducing reduction cut cuts cutting lower slash shave trim drop kürzen senken reduzieren réduire reducir recortar сократ* снизить 降低 减少 cheaper günstiger barato cheap come",
    ),
    (
        "run",
        RUN,
        1.0,
        "run running operate operating operational operations maintain maintenance upkeep staff ops hosting host opex betrieb fonctionnement mantenimiento laufende laufend",
    ),
    (
        "once",
        ONCE,
        1.0,
        "once one-time one-off onetime front upfront up-front setup set-up invest investment invests investing migration migrating capex implementation integration build building engineering einmalig einmalige einmalkosten investition investissement inversión один_раз разово единовременно 一次性 初期費用 初期",
    ),
    (
        "penalty",
        PENALTY,
        1.0,
        "penalty penalties fine fines credit credits breach strafe vertragsstrafe pénalité multa штраф* 罚款",
    ),
    (
        "price",
        COST,
        1.0,
        "price prices priced pricing cost-weight preis tarif precio цена",
    ),
    ("worth", LIMIT, 1.0, "worthwhile"),
    (
        "threshold",
        0,
        1.0,
        "threshold exceeds exceed crosses cross surpass",
    ),
];
