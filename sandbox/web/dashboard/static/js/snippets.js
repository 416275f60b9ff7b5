// The lines that do in a shell and in three languages exactly what the page does. Values are quoted for each language.

export const HINTS = {
  curl: "POSIX shell",
  python: "Python 3, with requests",
  node: "Node 18 or newer, as a module",
  php: "PHP 8, with its curl extension",
};

export function snippet(language, values) {
  return { curl, python, node, php }[language](values);
}

function curl({ tokenUrl, url, clientId, clientSecret, scope, payload }) {
  const q = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  return `token=$(curl -s ${q(tokenUrl)} \\
  -d grant_type=client_credentials \\
  --data-urlencode ${q(`client_id=${clientId}`)} \\
  --data-urlencode ${q(`client_secret=${clientSecret}`)} \\
  -d ${q(`scope=${scope}`)} \\
  | sed -E 's/.*"access_token":"([^"]+)".*/\\1/')

curl -i ${q(url)} \\
  -H "Authorization: Bearer $token" \\
  -H 'Content-Type: application/json' \\
  -H 'Accept: application/json' \\
  --data-binary ${q(payload)}`;
}

// JSON strings are Python's and JavaScript's too, once what JSON leaves as it is and they do not is escaped.
function quoted(text) {
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

// Python reads \ud83d\ude00 as two lone surrogates, not as one character.
function pythonQuoted(text) {
  const escape = (char) => {
    const code = char.codePointAt(0);
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  };
  return JSON.stringify(text).replace(/[\u007f-\u{10ffff}]/gu, escape);
}

function python({ tokenUrl, url, clientId, clientSecret, scope, payload }) {
  const q = pythonQuoted;
  return `import requests

token = requests.post(
    ${q(tokenUrl)},
    data={
        "grant_type": "client_credentials",
        "client_id": ${q(clientId)},
        "client_secret": ${q(clientSecret)},
        "scope": ${q(scope)},
    },
    timeout=30,
).json()["access_token"]

response = requests.post(
    ${q(url)},
    data=${lines(payload, q, "\n        ", "", "(\n        ", "\n    )")}.encode(),
    headers={
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Accept": "application/json",
    },
    timeout=30,
)
print(response.status_code, response.text)`;
}

function node({ tokenUrl, url, clientId, clientSecret, scope, payload }) {
  const q = quoted;
  return `const { access_token: token } = await (await fetch(${q(tokenUrl)}, {
  method: "POST",
  body: new URLSearchParams({
    grant_type: "client_credentials",
    client_id: ${q(clientId)},
    client_secret: ${q(clientSecret)},
    scope: ${q(scope)},
  }),
})).json();

const response = await fetch(${q(url)}, {
  method: "POST",
  headers: {
    Authorization: \`Bearer \${token}\`,
    "Content-Type": "application/json",
    Accept: "application/json",
  },
  body: ${lines(payload, q, "\n    ", " +", "", "")},
});
console.log(response.status, await response.text());`;
}

function php({ tokenUrl, url, clientId, clientSecret, scope, payload }) {
  const q = (text) => `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
  return `<?php
function send(string $url, string $body, array $headers = []): string
{
    $curl = curl_init($url);
    curl_setopt_array($curl, [
        CURLOPT_POSTFIELDS => $body,
        CURLOPT_HTTPHEADER => $headers,
        CURLOPT_RETURNTRANSFER => true,
        CURLOPT_TIMEOUT => 30,
    ]);
    return curl_exec($curl);
}

$token = json_decode(send(${q(tokenUrl)}, http_build_query([
    'grant_type' => 'client_credentials',
    'client_id' => ${q(clientId)},
    'client_secret' => ${q(clientSecret)},
    'scope' => ${q(scope)},
])))->access_token;

echo send(${q(url)}, ${q(payload)}, [
    "Authorization: Bearer $token",
    'Content-Type: application/json',
    'Accept: application/json',
]);`;
}

// A text of several lines as several literals, one below the other.
function lines(text, quote, indent, glue, open, close) {
  const parts = text.split(/(?<=\n)/);
  return parts.length < 2 ? quote(text) : open + parts.map(quote).join(glue + indent) + close;
}
