// Loads each URL of the standard input and keeps the cookies in a java.net.CookieManager.
// usage: Jar CERTIFICATE [HttpURLConnection | HttpClient]

import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.CookieHandler;
import java.net.CookieManager;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

public class Jar {
    public static void main(String[] arguments) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        try (var file = new FileInputStream(arguments[0])) {
            store.setCertificateEntry("site", CertificateFactory.getInstance("X.509").generateCertificate(file));
        }
        var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);

        CookieHandler.setDefault(new CookieManager());
        HttpsURLConnection.setDefaultSSLSocketFactory(context.getSocketFactory());
        HttpClient client = HttpClient.newBuilder().sslContext(context).cookieHandler(CookieHandler.getDefault())
            .version(HttpClient.Version.HTTP_1_1).build();
        var lines = new BufferedReader(new InputStreamReader(System.in));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            try {
                if (arguments[1].equals("HttpClient")) {
                    client.send(HttpRequest.newBuilder(URI.create(line)).build(), HttpResponse.BodyHandlers.ofString());
                } else {
                    try (var body = URI.create(line).toURL().openConnection().getInputStream()) {
                        body.readAllBytes();
                    }
                }
                System.out.println("loaded");
            } catch (IOException error) {
                System.out.println(error.toString().replace('\n', ' '));
            }
        }
    }
}
