<?php
// Laravel's cookie session: the session store's serialize(), the cookie handler's JSON with the expiry, the
// EncryptCookies middleware's prefix and Illuminate\Encryption\Encrypter; Symfony escapes the value.
// Usage: php laravel.php CORPUS SECONDS, the seconds for each file and direction.
// Prints one JSON line a cipher and file.
use Illuminate\Contracts\Encryption\DecryptException;
use Illuminate\Encryption\Encrypter;

// Laravel 8 on PHP 8.2 is deprecated in places; its users silence that as well.
error_reporting(E_ALL & ~E_DEPRECATED);
require 'Illuminate/Encryption/autoload.php';

const BATCHES = 7;
const NAME = 'pbWYYxSzbhoqtWXOKPRSvT4WLQFxRC2SYvhRkQwN'; // the cookie handler names the cookie by the session's id
const LIFETIME = 14 * 86400;

function fail(string $what): never
{
    fwrite(STDERR, "$what\n");
    exit(1);
}

/** Nanoseconds a call. */
function batch(int $count, callable $work): float
{
    $start = hrtime(true);
    for ($i = 0; $i < $count; $i++) {
        $work();
    }
    return (hrtime(true) - $start) / $count;
}

/** The median of nanoseconds a call, and half the distance between the quartiles in percent of it. */
function measure(float $seconds, callable $work): array
{
    batch(50, $work);
    $count = max(1, (int) ($seconds * 1e9 / BATCHES / batch(50, $work)));
    $samples = array_map(fn () => batch($count, $work), range(1, BATCHES));
    sort($samples);
    $median = $samples[intdiv(BATCHES, 2)];
    $quartiles = $samples[intdiv(BATCHES * 3, 4)] - $samples[intdiv(BATCHES, 4)];
    return [$median, $quartiles / 2 / $median * 100];
}

/** CookieValuePrefix::create. */
function prefix(Encrypter $encrypter): string
{
    return hash_hmac('sha1', NAME . 'v2', $encrypter->getKey()) . '|';
}

function seal(Encrypter $encrypter, array $session): string
{
    $value = json_encode(['data' => serialize($session), 'expires' => time() + LIFETIME]);
    return rawurlencode($encrypter->encrypt(prefix($encrypter) . $value, false));
}

/** @return array|null null: another cookie's value, or expired */
function unseal(Encrypter $encrypter, string $cookie): ?array
{
    $value = $encrypter->decrypt(urldecode($cookie), false);
    if (! str_starts_with($value, prefix($encrypter))) {
        return null;
    }
    $decoded = json_decode(substr($value, 41), true);
    if (! isset($decoded['expires']) || time() > $decoded['expires']) {
        return null;
    }
    return unserialize($decoded['data']);
}

[, $corpus, $seconds] = $argv;
$version = exec("dpkg-query -W -f '\${Version}' php-illuminate-encryption");
foreach (['AES-256-CBC', 'AES-256-GCM'] as $cipher) {
    $encrypter = new Encrypter(random_bytes(32), $cipher);
    foreach (glob("$corpus/*.json") as $path) {
        $file = basename($path, '.json');
        $session = json_decode(file_get_contents($path), true, 512, JSON_THROW_ON_ERROR);
        $cookie = seal($encrypter, $session);
        if (unseal($encrypter, $cookie) !== $session) {
            fail("$file: another session came back");
        }
        $changed = $cookie;
        $middle = intdiv(strlen($cookie), 2);
        $changed[$middle] = $changed[$middle] === 'A' ? 'B' : 'A';
        try {
            unseal($encrypter, $changed);
            fail("$file: a changed cookie was opened");
        } catch (DecryptException) {
        }
        [$sealNs, $sealSpread] = measure((float) $seconds, fn () => seal($encrypter, $session));
        [$openNs, $openSpread] = measure((float) $seconds, fn () => unseal($encrypter, $cookie));
        echo json_encode([
            'peer' => "Laravel Encrypter, $cipher", 'version' => $version, 'file' => $file, 'size' => strlen($cookie),
            'seal_ns' => $sealNs, 'open_ns' => $openNs, 'seal_spread' => $sealSpread, 'open_spread' => $openSpread,
            'protects' => ['encrypted' => true, 'signed' => true, 'compressed' => false, 'expires' => true],
        ]), "\n";
    }
}
