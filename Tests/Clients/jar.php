<?php
// Loads each URL of the standard input with PHP's curl, which keeps the cookies.   usage: jar.php CERTIFICATE
$curl = curl_init();
curl_setopt_array($curl, [CURLOPT_COOKIEFILE => "", CURLOPT_CAINFO => $argv[1], CURLOPT_RETURNTRANSFER => true]);
while (($url = fgets(STDIN)) !== false) {
    curl_setopt($curl, CURLOPT_URL, trim($url));
    echo curl_exec($curl) === false ? curl_error($curl) : "loaded", "\n";
}
