// Fills the page with the version of the server and its latest runs.
"use strict";

const note = document.getElementById("note");

function cell(row, content) {
  row.insertCell().append(content);
}

function link(text, href) {
  const anchor = document.createElement("a");
  anchor.textContent = text;
  anchor.href = href;
  return anchor;
}

function show(run) {
  const row = document.getElementById("runs").insertRow();
  const api = `/api/v1/default/${run.project}/runs/${run.uuid}`;
  const streams = `/streams/v1/polyaxon/default/${run.project}/runs/${run.uuid}`;
  cell(row, link(run.uuid.slice(0, 8), api));
  cell(row, run.name || "–");
  cell(row, run.project);
  cell(row, run.runtime || run.kind);
  cell(row, run.status);
  cell(row, new Date(run.created_at).toLocaleString());
  const read = document.createElement("span");
  read.append(link("statuses", `${api}/statuses`), " ", link("logs", `${streams}/logs`), " ",
    link("artifacts", `${streams}/artifacts/tree`));
  cell(row, read);
}

async function load(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

(async () => {
  try {
    const [installation, runs] = await Promise.all([load("/api/v1/installation"),
      load("/api/v1/orgs/default/runs?limit=20")]);
    document.getElementById("version").textContent = installation.version;
    runs.results.forEach(show);
    note.textContent = runs.count ? `${runs.results.length} of ${runs.count} runs of the last 30 days` : "No runs yet.";
  } catch (error) {
    note.textContent = `The runs cannot be shown: ${error.message}`;
  }
})();
