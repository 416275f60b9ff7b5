<?php
declare(strict_types=1);

/** The sandbox refused a call; the message is its explanation, the code the status of its answer. */
class SandboxException extends RuntimeException
{
}

/** An assertion about what arrived does not hold; the message shows the nearest requests and the differences. */
final class NotReceivedException extends SandboxException
{
}

/**
 * A handle of a Patchworks Sandbox for tests in PHP 8.1 or newer: copy this file, it needs no package but ext-curl.
 *
 *     $sandbox = PatchworksSandbox::attach();   // PATCHWORKS_SANDBOX_URL and PATCHWORKS_SANDBOX_CONTROL_KEY
 *     $sandbox = PatchworksSandbox::start();    // a process of its own; needs the command patchworks-sandbox
 */
final class PatchworksSandbox
{
    /** @var array<string, mixed> What the ready file holds: token_url, inbound_urls, client_id, client_secret, … */
    public array $endpoints = [];

    /** @param resource|null $process */
    private function __construct(
        public readonly string $url,
        private readonly ?string $key,
        private $process = null,
        private readonly ?string $folder = null,
    ) {
    }

    /** Use the sandbox at a URL. */
    public static function attach(?string $url = null, ?string $key = null): self
    {
        $url ??= getenv('PATCHWORKS_SANDBOX_URL') ?: 'http://127.0.0.1:8025';
        $sandbox = new self(rtrim($url, '/'), $key ?? (getenv('PATCHWORKS_SANDBOX_CONTROL_KEY') ?: null));
        $sandbox->refresh();
        return $sandbox;
    }

    /**
     * Start a sandbox on a free port and wait until it is ready; it stops with the script.
     *
     * @param list<string> $options
     * @param list<string> $command
     */
    public static function start(array $options = [], array $command = ['patchworks-sandbox'], float $timeoutS = 30): self
    {
        $folder = sys_get_temp_dir() . '/patchworks-sandbox-' . bin2hex(random_bytes(8));
        mkdir($folder, 0700);
        $file = "$folder/ready.json";
        $line = [...$command, 'serve', '--port', '0', '--ready-file', $file, ...$options];
        $null = ['file', DIRECTORY_SEPARATOR === '\\' ? 'NUL' : '/dev/null', 'r+'];
        $process = proc_open($line, [$null, $null, ['file', "$folder/log", 'w']], $pipes);
        if ($process === false) {
            throw new RuntimeException("the sandbox did not start: $command[0]");
        }
        $deadline = microtime(true) + $timeoutS;
        while (!is_file($file)) {
            if (!proc_get_status($process)['running'] || microtime(true) > $deadline) {
                proc_terminate($process);
                throw new RuntimeException('the sandbox did not start: ' . file_get_contents("$folder/log"));
            }
            usleep(20_000);
        }
        $ready = json_decode((string) file_get_contents($file), true, flags: JSON_THROW_ON_ERROR);
        $sandbox = new self($ready['base_url'], $ready['control_key'], $process, $folder);
        $sandbox->endpoints = $ready;
        return $sandbox;
    }

    public function __destruct()
    {
        $this->stop();
    }

    /** Stop a sandbox that start() started. */
    public function stop(): void
    {
        if ($this->process !== null) {
            proc_terminate($this->process);
            proc_close($this->process);
            $this->process = null;
            array_map(unlink(...), glob("$this->folder/*") ?: []);
            rmdir((string) $this->folder);
        }
    }

    /** Ask for its addresses and credentials again, as after another seed. */
    public function refresh(): void
    {
        $this->endpoints = $this->control('GET', '/endpoints');
    }

    /**
     * Call the control API; throw SandboxException.
     *
     * @param array<mixed>|null $body
     * @param array<string, mixed> $query
     */
    public function control(string $method, string $path, ?array $body = null, array $query = []): mixed
    {
        $headers = ['Accept: application/json'];
        if ($this->key !== null) {
            $headers[] = "Authorization: Bearer $this->key";
        }
        $curl = curl_init("$this->url/_sandbox$path" . ($query ? '?' . http_build_query($query) : ''));
        curl_setopt_array($curl, [CURLOPT_CUSTOMREQUEST => $method, CURLOPT_RETURNTRANSFER => true]);
        if ($body !== null) {
            $headers[] = 'Content-Type: application/json';
            curl_setopt($curl, CURLOPT_POSTFIELDS, json_encode($body ?: new stdClass(), JSON_THROW_ON_ERROR));
        }
        curl_setopt($curl, CURLOPT_HTTPHEADER, $headers);
        $answer = curl_exec($curl);
        if ($answer === false) {
            throw new SandboxException("$this->url: " . curl_error($curl));
        }
        $status = curl_getinfo($curl, CURLINFO_RESPONSE_CODE);
        $found = json_decode($answer, true) ?? $answer;
        if ($status >= 300) {
            $detail = $found['detail'] ?? "the sandbox answered $status";
            throw $status === 409 && $path === '/requests/verify'
                ? new NotReceivedException($detail, $status)
                : new SandboxException($detail, $status);
        }
        return $found;
    }

    /** Begin anew: a new journal, no faults, real time, the same clients. */
    public function reset(): void
    {
        $this->control('POST', '/reset');
    }

    /**
     * The requests that it received, oldest first.
     *
     * @param array<string, mixed> $filter
     * @return list<array<string, mixed>>
     */
    public function requests(array $filter = []): array
    {
        return $this->control('GET', '/requests', query: $filter)['entries'];
    }

    /**
     * Wait until requests came.
     *
     * @param array<string, mixed> $filter
     * @return list<array<string, mixed>>
     */
    public function waitFor(array $filter = []): array
    {
        return $this->control('GET', '/requests/wait', query: $filter + ['count' => 1, 'timeout' => 10])['entries'];
    }

    /**
     * Assert what a service accepted; throw NotReceivedException.
     *
     * @param array<string, mixed> $pattern
     * @param array<string, mixed> $expected such as ['times' => 1]
     */
    public function verify(string $vanityUrl, array $pattern = [], array $expected = []): void
    {
        $filter = ['kind' => 'inbound', 'vanity_url' => $vanityUrl] + ($expected['filter'] ?? []);
        $known = ['filter' => $filter, 'pattern' => $pattern ?: new stdClass()];
        $this->control('POST', '/requests/verify', $known + $expected + ['only_accepted' => true]);
    }

    /**
     * Make it fail: addFault(['kind' => 'status', 'code' => 503], ['endpoint' => 'inbound'], ['times' => 2]).
     *
     * @param array<string, mixed> $fault
     * @param array<string, mixed> $match
     * @param array<string, mixed> $rule
     */
    public function addFault(array $fault, array $match = [], array $rule = []): mixed
    {
        return $this->control('POST', '/faults', ['fault' => $fault, 'match' => $match ?: new stdClass()] + $rule);
    }

    /** Let time pass, such as '24h'. */
    public function advance(string $duration): void
    {
        $this->control('POST', '/clock/advance', ['duration' => $duration]);
    }
}
