import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A handle of a Patchworks Sandbox for tests in Java 17 or newer: copy this file, it needs no library.
 *
 * <pre>
 *   var sandbox = PatchworksSandbox.attach();  // PATCHWORKS_SANDBOX_URL and PATCHWORKS_SANDBOX_CONTROL_KEY
 *   var sandbox = PatchworksSandbox.start();   // a process of its own; needs the command patchworks-sandbox
 * </pre>
 *
 * JSON is given and returned as {@code Map}, {@code List}, {@code String}, {@code Long}, {@code Double}, {@code Boolean}
 * and {@code null}.
 */
public final class PatchworksSandbox implements AutoCloseable {

    /** The sandbox refused a call; the message is its explanation. */
    public static class SandboxException extends RuntimeException {
        public final int status;

        SandboxException(int status, String message) {
            super(message);
            this.status = status;
        }
    }

    /** An assertion about what arrived does not hold; the message shows the nearest requests and the differences. */
    public static final class NotReceivedError extends AssertionError {
        NotReceivedError(String message) {
            super(message);
        }
    }

    private static final HttpClient HTTP =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    public final String url;
    private final String key;
    private final Process process;
    private final Path folder;
    private Map<String, Object> endpoints = Map.of();

    private PatchworksSandbox(String url, String key, Process process, Path folder) {
        this.url = url.replaceAll("/+$", "");
        this.key = key;
        this.process = process;
        this.folder = folder;
    }

    /** Use the sandbox of the environment, or the one at http://127.0.0.1:8025. */
    public static PatchworksSandbox attach() {
        var environment = System.getenv();
        return attach(
                environment.getOrDefault("PATCHWORKS_SANDBOX_URL", "http://127.0.0.1:8025"),
                environment.get("PATCHWORKS_SANDBOX_CONTROL_KEY"));
    }

    /** Use the sandbox at a URL; {@code key} may be null. */
    public static PatchworksSandbox attach(String url, String key) {
        var sandbox = new PatchworksSandbox(url, key, null, null);
        sandbox.refresh();
        return sandbox;
    }

    /** Start a sandbox on a free port and wait until it is ready; {@code close} stops it. */
    public static PatchworksSandbox start(String... options) {
        return start(List.of("patchworks-sandbox"), options);
    }

    /** The same by another command, such as {@code List.of("python", "-m", "sandbox.cli")}. */
    public static PatchworksSandbox start(List<String> command, String... options) {
        try {
            var folder = Files.createTempDirectory("patchworks-sandbox-");
            var file = folder.resolve("ready.json");
            var log = folder.resolve("log").toFile();
            var line = new ArrayList<>(command);
            line.addAll(List.of("serve", "--port", "0", "--ready-file", file.toString()));
            line.addAll(Arrays.asList(options));
            var process = new ProcessBuilder(line).redirectErrorStream(true).redirectOutput(log).start();
            var deadline = System.nanoTime() + 30_000_000_000L;
            while (!Files.exists(file)) {
                if (!process.isAlive() || System.nanoTime() > deadline) {
                    process.destroy();
                    throw new IllegalStateException("the sandbox did not start: " + Files.readString(log.toPath()));
                }
                Thread.sleep(20);
            }
            var ready = object(Json.read(Files.readString(file)));
            var sandbox =
                    new PatchworksSandbox((String) ready.get("base_url"), (String) ready.get("control_key"), process, folder);
            sandbox.endpoints = ready;
            return sandbox;
        } catch (IOException | InterruptedException error) {
            throw new IllegalStateException("the sandbox did not start", error);
        }
    }

    /** Stop a sandbox that {@code start} started. */
    @Override
    public void close() {
        if (process == null) return;
        process.destroy();
        try {
            process.waitFor();
            for (var name : List.of("ready.json", "log")) Files.deleteIfExists(folder.resolve(name));
            Files.deleteIfExists(folder);
        } catch (IOException | InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    /** What the ready file holds: token_url, inbound_urls, client_id, client_secret and so on. */
    public Map<String, Object> endpoints() {
        return endpoints;
    }

    public String tokenUrl() {
        return (String) endpoints.get("token_url");
    }

    public String clientId() {
        return (String) endpoints.get("client_id");
    }

    public String clientSecret() {
        return (String) endpoints.get("client_secret");
    }

    /** The inbound URL of a service of the first company. */
    public String inboundUrl(String vanityUrl) {
        var found = object(endpoints.get("inbound_urls"));
        if (!found.containsKey(vanityUrl))
            throw new IllegalArgumentException("no service " + vanityUrl + "; known: " + found.keySet());
        return (String) found.get(vanityUrl);
    }

    /** Ask for its addresses and credentials again, as after another seed. */
    public void refresh() {
        endpoints = object(control("GET", "/endpoints", null));
    }

    /** Call the control API; {@code path} may have a query, {@code body} may be null. */
    public Object control(String method, String path, Object body) {
        var publisher = body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(Json.write(body));
        var request = HttpRequest.newBuilder(URI.create(url + "/_sandbox" + path)).method(method, publisher);
        request.header("Accept", "application/json");
        if (body != null) request.header("Content-Type", "application/json");
        if (key != null) request.header("Authorization", "Bearer " + key);
        try {
            var answer = HTTP.send(request.build(), BodyHandlers.ofString());
            var type = answer.headers().firstValue("Content-Type").orElse("");
            var found = type.contains("json") ? Json.read(answer.body()) : answer.body();
            if (answer.statusCode() < 300) return found;
            var detail = type.contains("json") ? (String) object(found).get("detail") : answer.body();
            if (answer.statusCode() == 409 && path.equals("/requests/verify")) throw new NotReceivedError(detail);
            throw new SandboxException(answer.statusCode(), detail);
        } catch (IOException error) {
            throw new SandboxException(0, "no sandbox answers at " + url + ": " + error);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            throw new SandboxException(0, "interrupted");
        }
    }

    /** Begin anew: a new journal, no faults, real time, the same clients. */
    public void reset() {
        control("POST", "/reset", null);
    }

    /** The requests that it received, oldest first: {@code requests(Map.of("outcome", "rejected"))}. */
    public List<Map<String, Object>> requests(Map<String, ?> filter) {
        return entries("/requests" + query(filter));
    }

    /** Wait until requests came: {@code waitFor(Map.of("vanity_url", "orders", "count", 2, "timeout", 5))}. */
    public List<Map<String, Object>> waitFor(Map<String, ?> filter) {
        var all = new LinkedHashMap<String, Object>(Map.of("count", 1, "timeout", 10));
        all.putAll(filter);
        return entries("/requests/wait" + query(all));
    }

    /** Assert that a service accepted payloads that match, so many times; throw {@code NotReceivedError}. */
    public void verify(String vanityUrl, Map<String, ?> pattern, int times) {
        var filter = Map.of("kind", "inbound", "vanity_url", vanityUrl);
        control(
                "POST",
                "/requests/verify",
                Map.of("filter", filter, "only_accepted", true, "pattern", pattern, "times", times));
    }

    /** Make it fail: {@code addFault(Map.of("kind", "status", "code", 503), Map.of("endpoint", "inbound"), Map.of("times", 2))}. */
    public Map<String, Object> addFault(Map<String, ?> fault, Map<String, ?> match, Map<String, ?> rule) {
        var body = new LinkedHashMap<String, Object>(rule);
        body.put("fault", fault);
        body.put("match", match);
        return object(control("POST", "/faults", body));
    }

    /** Let time pass, such as "24h". */
    public void advance(String duration) {
        control("POST", "/clock/advance", Map.of("duration", duration));
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> object(Object value) {
        return (Map<String, Object>) value;
    }

    @SuppressWarnings("unchecked")
    private List<Map<String, Object>> entries(String path) {
        return (List<Map<String, Object>>) object(control("GET", path, null)).get("entries");
    }

    private static String query(Map<String, ?> values) {
        if (values.isEmpty()) return "";
        return values.entrySet().stream()
                .map(each -> each.getKey() + "=" + URLEncoder.encode(String.valueOf(each.getValue()), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&", "?", ""));
    }

    /** JSON as Java has none: small, and only for what the sandbox sends and takes. */
    private static final class Json {
        private final String text;
        private int at;

        private Json(String text) {
            this.text = text;
        }

        static Object read(String text) {
            return new Json(text).value();
        }

        static String write(Object value) {
            if (value instanceof Map<?, ?> map)
                return map.entrySet().stream()
                        .map(each -> quoted(String.valueOf(each.getKey())) + ":" + write(each.getValue()))
                        .collect(Collectors.joining(",", "{", "}"));
            if (value instanceof Iterable<?> list) {
                var parts = new ArrayList<String>();
                for (var each : list) parts.add(write(each));
                return "[" + String.join(",", parts) + "]";
            }
            return value == null || value instanceof Number || value instanceof Boolean
                    ? String.valueOf(value)
                    : quoted(value.toString());
        }

        private static String quoted(String text) {
            var out = new StringBuilder("\"");
            for (var character : text.toCharArray()) {
                if (character == '"' || character == '\\') out.append('\\').append(character);
                else if (character < ' ') out.append(String.format("\\u%04x", (int) character));
                else out.append(character);
            }
            return out.append('"').toString();
        }

        private Object value() {
            space();
            switch (text.charAt(at)) {
                case '{' -> {
                    var map = new LinkedHashMap<String, Object>();
                    for (at++, space(); text.charAt(at) != '}'; space()) {
                        if (text.charAt(at) == ',') {
                            at++;
                            continue;
                        }
                        var name = string();
                        space();
                        at++; // the colon
                        map.put(name, value());
                    }
                    at++;
                    return map;
                }
                case '[' -> {
                    var list = new ArrayList<Object>();
                    for (at++, space(); text.charAt(at) != ']'; space()) {
                        if (text.charAt(at) == ',') at++;
                        else list.add(value());
                    }
                    at++;
                    return list;
                }
                case '"' -> {
                    return string();
                }
                default -> {
                    var start = at;
                    while (at < text.length() && ",]} \n\r\t".indexOf(text.charAt(at)) < 0) at++;
                    return scalar(text.substring(start, at));
                }
            }
        }

        private static Object scalar(String word) {
            return switch (word) {
                case "null" -> null;
                case "true" -> true;
                case "false" -> false;
                default -> word.matches("-?\\d{1,18}") ? (Object) Long.valueOf(word) : Double.valueOf(word);
            };
        }

        private String string() {
            var out = new StringBuilder();
            for (at++; text.charAt(at) != '"'; at++) {
                if (text.charAt(at) != '\\') {
                    out.append(text.charAt(at));
                    continue;
                }
                var escaped = text.charAt(++at);
                if (escaped == 'u') {
                    out.append((char) Integer.parseInt(text.substring(at + 1, at + 5), 16));
                    at += 4;
                } else {
                    var known = "nrtbf".indexOf(escaped);
                    out.append(known < 0 ? escaped : "\n\r\t\b\f".charAt(known));
                }
            }
            at++;
            return out.toString();
        }

        private void space() {
            while (at < text.length() && Character.isWhitespace(text.charAt(at))) at++;
        }
    }
}
